#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Measures the costs of reading on the kernels stock, patched and rfc, and prints tables
# and each bound with its result; exit status 1 if a bound does not hold. The guests count
# instructions (`qemu/run.sh --icount`): no figure is a time, and those of
# /proc/PID/pagemap differ by less than 0.01 % from run to run.
#
# QUICK=1 in the environment: a part of `bench` on stock and patched, in two minutes. Its
# rows are compared with selftests/bench/recorded.json, which RECORD=1 writes anew: those
# of other versions of the compilers can be more than 3 % higher.
#
# TESTS in the environment chooses benchmarks: bench, bench_fork, bench_save.
# XPAGEMAP_BENCH_MIB is the size of the memfd of bench_save, 1024 by default.
#
# Writes build/bench.json, of the benchmarks that ran:
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
#     "save": [ { "kernel": "patched", "written": TEXT, "swapped": "none"|"half"|"all",
#                 "way": "SHMEM_SCAN"|"PAGEMAP_SCAN"|"lseek"|"mincore", "mib": N,
#                 "runs": N, "pages": N,             that it finds
#                 "swapped_in": N, "whole": NUMBER }, ... ],
#     "goals": [ { "name": TEXT, "measured": NUMBER, "goal": NUMBER, "met": BOOL }, ... ],
#     "bounds": [ { "name": TEXT, "measured": NUMBER, "limit": NUMBER,
#                   "holds": BOOL }, ... ] }

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

BENCHES=(bench bench_fork bench_save)
OUT=$BUILD/bench
# The guest of bench_save, in MiB: its memfd takes half of the memory, and all of it goes to swap.
MIB=${XPAGEMAP_BENCH_MIB:-1024}
QUICK=${QUICK:-${RECORD:-}}
QUICK=${QUICK:+1}
[ -z "$QUICK" ] || TESTS=bench

# kernels_of BENCH: those that it compares.
kernels_of() {
	case $QUICK$1 in
	?bench) echo stock patched ;;
	bench) echo stock patched rfc ;;
	bench_fork) echo stock patched ;;
	bench_save) echo patched ;;
	*) die "no such benchmark: $1 (${BENCHES[*]})" ;;
	esac
}

# measure KERNEL BENCH: adds its lines to the results of the kernel.
measure() {
	local kernel=$1 bench=$2 source='' guest=()
	# Without the module, /proc is the only source.
	[ "$kernel" = patched ] || source=proc
	[ "$bench" != bench_save ] || guest=(--mem $((512 + 2 * MIB))M --swap $((256 + MIB * 5 / 4))M --timeout 7200)
	say "measure $bench on $kernel ..."
	# Without setarch -R, address randomization makes a difference of up to 5 %.
	"$QEMU_DIR/run.sh" --icount --kernel "$kernel" "${guest[@]}" -- \
		env "XPAGEMAP_SOURCE=$source" "XPAGEMAP_BENCH_MIB=$MIB" \
		"XPAGEMAP_BENCH_QUICK=$QUICK" setarch -R "$BUILD/selftests/$bench" \
		>>"$OUT/$kernel.new" </dev/null
}

main() {
	local bench kernel list kernels=() options=()
	read -ra benches <<<"${TESTS:-${BENCHES[*]}}"
	for bench in "${benches[@]}"; do
		list=$(kernels_of "$bench")
		for kernel in $list; do
			[[ " ${kernels[*]} " == *" $kernel "* ]] || kernels+=("$kernel")
		done
	done
	mkdir -p "$OUT" "$BUILD/log"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	for kernel in "${kernels[@]}"; do "$QEMU_DIR/build.sh" "$kernel"; done
	build_selftests patched "${benches[@]}"
	cd "$ROOT"
	for kernel in "${kernels[@]}"; do
		: >"$OUT/$kernel.new"
		for bench in "${benches[@]}"; do
			[[ " $(kernels_of "$bench") " != *" $kernel "* ]] || measure "$kernel" "$bench"
		done
		mv "$OUT/$kernel.new" "$OUT/$kernel"
	done
	if [ -n "${RECORD:-}" ]; then
		options=(--record)
	elif [ -n "$QUICK" ]; then
		options=(--quick)
	fi
	[ ${#options[@]} -eq 0 ] || options+=(selftests/bench/recorded.json)
	exec "$PYTHON" selftests/bench/bench_table "${options[@]}" "$BUILD/bench.json" "$(IFS=,; echo "${benches[*]}")" "${kernels[@]/#/$OUT/}"
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
