#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures the costs of reading on the kernels stock, patched and rfc, and prints tables
# and each bound with its result; exit status 1 if a bound does not hold. The guests count
# instructions (`qemu/run.sh --icount`): no figure is a time, and those of
# /proc/PID/pagemap differ by less than 0.01 % from run to run.
#
# Writes build/bench.json:
#
#   { "unit": "instructions",
#     "pagemap": [                      one for each kernel, memory and file
#       { "kernel": "stock"|"patched"|"rfc", "memory": TEXT, "file": TEXT,
#         "per_page": { ENTRIES_PER_READ: NUMBER, ... },
#         "swapped": N, "present": N, "nothing": N,   what the entries say
#         "bytes_allocated": N }, ... ],  by the kernel, for a read of 16384 entries
#     "swapmap": [ { "kernel": "patched", "memory": TEXT, "swapped": PAGES,
#                    "whole": NUMBER }, ... ],          for reading all of it
#     "fork": [ { "kernel": "stock"|"patched", "loop": TEXT, "tracing": "off"|"on",
#                 "whole": NUMBER }, ... ],              for a fork and writes to 16 MiB
#     "bounds": [ { "name": TEXT, "measured": NUMBER, "limit": NUMBER,
#                   "holds": BOOL }, ... ] }

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

KERNELS=(stock patched rfc)
OUT=$BUILD/bench

measure() {
	local kernel=$1 source='' benches=("$BUILD/selftests/bench")
	# Without the module, /proc is the only source.
	[ "$kernel" = patched ] || source=proc
	[ "$kernel" = rfc ] || benches+=("$BUILD/selftests/bench_fork")
	say "measure on $kernel ..."
	# Without setarch -R, address randomization makes a difference of up to 5 %.
	# shellcheck disable=SC2016 # for the shell in the guest to expand
	"$QEMU_DIR/run.sh" --icount --kernel "$kernel" -- \
		env "XPAGEMAP_SOURCE=$source" sh -c 'for bench; do setarch -R "$bench" || exit; done' sh \
		"${benches[@]}" >"$OUT/$kernel.new" </dev/null
	mv "$OUT/$kernel.new" "$OUT/$kernel"
}

main() {
	local kernel
	mkdir -p "$OUT" "$BUILD/log"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	for kernel in "${KERNELS[@]}"; do "$QEMU_DIR/build.sh" "$kernel"; done
	build_selftests patched
	cd "$ROOT"
	for kernel in "${KERNELS[@]}"; do measure "$kernel"; done
	exec "$PYTHON" selftests/bench/bench_table "$BUILD/bench.json" "${KERNELS[@]/#/$OUT/}"
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
