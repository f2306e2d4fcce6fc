# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Loads with watchers beside. LOAD_MINUTES is the time of each load, LOAD_KERNELS the kernels. Sourced by
# clients, with DIR.

MINUTES=${LOAD_MINUTES:-3}
SECONDS_EACH=$(awk -v minutes="$MINUTES" 'BEGIN { print int(60 * minutes) }')
read -ra KERNELS <<<"${LOAD_KERNELS:-patched}"
"$SCRIPTS/tools.sh"

# run_load NAME PACKAGES: `NAME-guest.sh SECONDS` on each kernel, its output to $DIR/KERNEL; status 1 if one failed.
run_load() {
	local kernel status=0
	for kernel in "${KERNELS[@]}"; do
		"$QEMU_DIR/run.sh" --kernel "$kernel" --mem 1G --timeout $((3600 + 20 * SECONDS_EACH)) -- env "PACKAGES=$2" "PYTHON=$PYTHON" \
			"LD_LIBRARY_PATH=$(client_libraries "$2")" "XPAGEMAP=$BUILD/tools/release/xpagemap" \
			"$SCRIPTS/clients/$1-guest.sh" "$SECONDS_EACH" >"$DIR/$kernel" || status=1
	done
	return $status
}

# load_table LOAD OPERATIONS: the rows that `watched` wrote, of all kernels.
load_table() {
	local kernel
	cat <<-END
		| kernel | $1 | $2 | rounds of readers | KiB read | errors of exited processes | checks | sheets | slots used, at most | unexplained, at most | changed during that one |
		| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
	END
	for kernel in "${KERNELS[@]}"; do sed -n "s/^row /| $kernel | /p" "$DIR/$kernel" | sed 's/$/ |/'; done
}
