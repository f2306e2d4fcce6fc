#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/each.sh [FIRST]: builds and boots a kernel after each patch of the series,
# from number FIRST on (default 1), so that a bisection can stop anywhere. Says in
# KTAP which patches came through: the kernel compiles without a warning, boots, its
# KUnit tests pass, and its log has no report. Exit status 1 if one did not.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

FIRST=${1:-1}
[[ $FIRST =~ ^[1-9][0-9]*$ ]] || die "$FIRST: not the number of a patch"

# What the guest is asked for; KUnit's tests have run when it comes up.
# shellcheck disable=SC2016 # for the shell in the guest to expand
VERDICT='found=0
	for results in $(find /sys/kernel/debug/kunit -name results); do
		found=$((found + 1))
		! grep "^ *not ok" "$results" || exit 1
	done
	echo "$found suites of KUnit"
	[ "$found" -gt 0 ]'

# The series up to number $1, as the variant `each` takes it.
cut_series() {
	rm -rf "$EACH_SERIES"
	mkdir -p "$EACH_SERIES"
	ln -s "${PATCHES[@]:0:$1}" "$EACH_SERIES/"
	basename -a "${PATCHES[@]:0:$1}" >"$EACH_SERIES/series"
}

# What patched.config asks for, as far as there is such an option by now.
cut_fragment() {
	local line name
	while read -r line; do
		name=${line%%=*}
		case $line in
		CONFIG_*)
			grep -rqE --include='Kconfig*' "^(menu)?config ${name#CONFIG_}\$" "$1" || continue ;;
		esac
		echo "$line"
	done <"$QEMU_DIR/patched.config" >"$EACH_SERIES/config"
}

warned() { grep -nE '(warning|WARNING): ' "$CACHE/log/build-each.log"; }

main() {
	local number name tree status failed=0
	mapfile -t PATCHES < <(series_files "$ROOT/patches")
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	echo 'KTAP version 1'
	echo "1..${#PATCHES[@]}"
	for number in $(seq "${#PATCHES[@]}"); do
		name=$(basename "${PATCHES[number - 1]}" .patch)
		if [ "$number" -lt "$FIRST" ]; then
			echo "ok $number $name # SKIP from $FIRST on was asked for"
			continue
		fi
		status=0
		cut_series "$number"
		tree=$("$QEMU_DIR/tree.sh" each)
		cut_fragment "$tree"
		"$QEMU_DIR/build.sh" each || status=$?
		[ "$status" -ne 0 ] || ! warned || status=1
		[ "$status" -ne 0 ] || "$QEMU_DIR/run.sh" --kernel each --no-build -- sh -c "$VERDICT" | sed 's/^/# /' || status=$?
		if [ "$status" -eq 0 ]; then
			echo "ok $number $name"
		else
			echo "not ok $number $name"
			failed=1
		fi
	done
	return $failed
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
