#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu/configure.sh OUTPUT FRAGMENT...: writes OUTPUT/.config from the fragments
# over allnoconfig. An option asked for and not got is an error that names it.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

# Wanted only where the compilers match: see rust's LLVM and clang's.
OPTIONAL=CONFIG_RUST_INLINE_HELPERS

check() {
	local line name got bad=0
	while read -r line; do
		case $line in
		'# CONFIG_'*' is not set')
			name=${line#\# }
			name=${name% is not set}
			got=$(grep "^$name=" "$OUTPUT/.config" || :)
			[ -n "$got" ] || continue
			;;
		CONFIG_*)
			name=${line%%=*}
			! grep -qxF "$line" "$OUTPUT/.config" || continue
			got=$(grep -E "^(# )?${name}[= ]" "$OUTPUT/.config" || echo "nothing (does it exist? are its dependencies there?)")
			;;
		*) continue ;;
		esac
		if [ "$name" = "$OPTIONAL" ] && ! grep -qx CONFIG_RUSTC_CLANG_LLVM_COMPATIBLE=y "$OUTPUT/.config"; then
			say "note: without $name, as rustc's LLVM and clang's differ"
			continue
		fi
		printf 'configuration: asked for %s, got %s\n' "$line" "$got" >&2
		bad=1
	done <"$OUTPUT/fragments"
	return $bad
}

OUTPUT=$1
shift
mkdir -p "$OUTPUT"
# The last fragment to name an option has it.
cat "$@" | tac | awk '
	/^CONFIG_/ { name = $0; sub(/=.*/, "", name) }
	/^# CONFIG_.* is not set$/ { name = $2 }
	name != "" && !(name in seen) { seen[name] = 1; print }
	{ name = "" }' | tac >"$OUTPUT/fragments"
mapfile -t args < <(kernel_make_args)
work "configure $(basename "$OUTPUT")" "$CACHE/log/configure-$(basename "$OUTPUT").log" \
	make -C "$OUTPUT/.." O="$OUTPUT" "${args[@]}" KCONFIG_ALLCONFIG="$OUTPUT/fragments" allnoconfig
check
