#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/each.sh [--apply]: each series alone, on plain Linux with the series it
# needs. Builds and boots a kernel after each of its patches, so that a bisection
# can stop anywhere. Says in KTAP which patches came through: the kernel compiles
# without a warning, boots, its KUnit tests pass, and its log has no report.
# --apply: no kernel is built; one result for each series that applies, and one
# for all of them together. Exit status 1 if anything failed.
#
# SERIES in the environment names one series, all by default; FROM the number of
# its first patch to build.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

FROM=${FROM:-1}
[[ $FROM =~ ^[1-9][0-9]*$ ]] || die "FROM=$FROM: not the number of a patch"
NUMBER=0
FAILED=0

# Runs in the guest. KUnit's tests run while it boots.
# shellcheck disable=SC2016 # for the shell in the guest to expand
VERDICT='found=0
	for results in $(find /sys/kernel/debug/kunit -name results); do
		found=$((found + 1))
		! grep "^ *not ok" "$results" || exit 1
	done
	echo "$found suites of KUnit"
	[ "$found" -gt 0 ]'

# result STATUS NAME
result() {
	NUMBER=$((NUMBER + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $NUMBER $2"
	else
		echo "not ok $NUMBER $2"
		FAILED=1
	fi
}

# patched.config, as far as the tree in $1 has its options.
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

# The kernel with just these patches, as the variant `each`.
build_and_boot() {
	local tree
	mkdir -p "$EACH_SERIES"
	printf '%s\n' "$@" >"$EACH_SERIES/patches"
	tree=$("$QEMU_DIR/tree.sh" each) || return 1
	cut_fragment "$tree"
	"$QEMU_DIR/build.sh" each || return 1
	! warned || return 1
	"$QEMU_DIR/run.sh" --kernel each --no-build -- sh -c "$VERDICT" | sed 's/^/# /'
}

# The patches of the series that the one in $1 needs.
needed_patches() {
	local dir
	while read -r dir; do series_files "$dir"; done < <(series_needs "$1")
}

build_series() {
	local dir=$1 number status needed patches
	mapfile -t needed < <(needed_patches "$dir")
	mapfile -t patches < <(series_files "$dir")
	for number in $(seq "${#patches[@]}"); do
		if [ "$number" -lt "$FROM" ]; then
			result 0 "$(patch_name "${patches[number - 1]}") # SKIP from $FROM on was asked for"
			continue
		fi
		status=0
		build_and_boot "${needed[@]}" "${patches[@]:0:number}" || status=$?
		result "$status" "$(patch_name "${patches[number - 1]}")"
	done
}

# apply NAME PATCH...: on copies of the files that they touch.
apply() {
	local name=$1 scratch status=0
	shift
	scratch=$(mktemp -d)
	touched_files "$@" | copy_files "$(source_dir)/stock" "$scratch"
	apply_patches "$scratch" "$@" || status=$?
	rm -rf "$scratch"
	result "$status" "$name"
}

main() {
	local dirs=() dir plan=0 patches
	while read -r dir; do
		[ -n "${SERIES:-}" ] && [ "$(basename "$dir")" != "$SERIES" ] || dirs+=("$dir")
	done < <(series_dirs)
	[ ${#dirs[@]} -gt 0 ] || die "SERIES=${SERIES:-}: no such series"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	echo 'KTAP version 1'
	if [ "${1:-}" = --apply ]; then
		echo "1..$((${#dirs[@]} + 1))"
		for dir in "${dirs[@]}"; do
			mapfile -t patches < <(needed_patches "$dir"; series_files "$dir")
			apply "$(basename "$dir") applies" "${patches[@]}"
		done
		mapfile -t patches < <(variant_patches patched)
		apply "all series apply in order" "${patches[@]}"
	else
		for dir in "${dirs[@]}"; do plan=$((plan + $(series_files "$dir" | wc -l))); done
		echo "1..$plan"
		for dir in "${dirs[@]}"; do build_series "$dir"; done
	fi
	return $FAILED
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
