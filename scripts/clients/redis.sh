# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# redis-server saves in the background while its data is written; `xpagemap trace -f` counts the
# copies, and the child's smaps tells how many pages it still shares.
# Sourced by scripts/clients.sh, with DIR.

PACKAGES=(redis-server redis-tools)
REDIS=$(client_packages redis "${PACKAGES[@]}")
"$SCRIPTS/tools.sh"
"$QEMU_DIR/run.sh" --kernel patched -- env "REDIS=$REDIS" "LD_LIBRARY_PATH=$(client_libraries "$REDIS")" \
	"MIB=16" "XPAGEMAP=$BUILD/tools/release/xpagemap" "$SCRIPTS/clients/redis-guest.sh" >"$DIR/report"
value() { awk -v key="$1" '$1 == key { print $2 }' "$DIR/report"; }
cat <<-END
	redis-server $(client_version redis redis-server) (Debian): 16 MiB of values of 1000 bytes, \`BGSAVE\`, 2000 of the values written meanwhile. \`xpagemap trace -f\`
	on the server, without its help, and the child's \`smaps\`, which the kernel counts:

	| pages | |
	| --- | --- |
	| shared by the fork | $(value shared) |
	| copied meanwhile | $(value copied) |
	| copied by neither, by \`xpagemap trace -f\` | $(value left) |
	| still shared, by the child's \`smaps_rollup\` (Shared_Dirty) | $(value smaps) |
END
[ "$(value left)" -gt 0 ] && [ "$(value left)" = "$(value smaps)" ]
