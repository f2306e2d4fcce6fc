#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest, as root, and prints one KTAP document.
#
#   selftests/run.sh             the KUnit suites of the module and of the patches, then every program
#   selftests/run.sh --stock     proof that the programs can fail: on a kernel without the patches they
#                                read /proc/PID/pagemap, and tests with a `stock` comment must come out so
#   selftests/run.sh --list      names that TESTS takes; runs anywhere
#   selftests/run.sh --stock-list  tests that --stock runs with this TESTS; runs anywhere
#
# TESTS in the environment chooses what runs, by default all: programs (memfd), tests
# (memfd.every_page_swapped, shmem.larger.every_swapped_page_is_located, or without the variant for
# all variants), `kunit` for the KUnit suites. XPAGEMAP_STORM_SECONDS is the length of each storm
# (20 s, but 3 in the programs exclusive_* and events_*). Exit status 0 only if nothing failed.

set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=selftests/names.sh
. ./names.sh
cd .. || exit 1
BIN=${XPAGEMAP_SELFTESTS:-build/selftests}
KUNIT=/sys/kernel/debug/kunit
XPAGEMAP=/sys/kernel/debug/xpagemap
ZSWAP=/sys/module/zswap/parameters/enabled
LOOKUP=/proc/sys/vm/pagemap_shmem_swap
# A program has up to ten storms.
LIMIT=$((${XPAGEMAP_PROGRAM_TIMEOUT:-600} + 10 * ${XPAGEMAP_STORM_SECONDS:-0}))
number=0
failed=0
PROGRAMS=()		# in the order they run
TABLE=			# see test_table
declare -A ARGS=()	# program that is wanted: the harness's options

note() { printf '# %s\n' "${1//$'\n'/$'\n# '}"; }

result() {
	local word=ok
	number=$((number + 1))
	[ "$1" -eq 0 ] || word='not ok' failed=1
	echo "$word $number $2"
}

bail_out() {
	echo "Bail out! $*"
	exit 1
}

read_names() {
	mapfile -t PROGRAMS < <(cd selftests && all_programs)
	[ "${#PROGRAMS[@]}" -gt 0 ] || bail_out "there are no programs"
	TABLE=$(cd selftests && test_table) || bail_out "$(grep '^error: ' <<<"$TABLE" | paste -s -d ' ')"
}

all_names() {
	echo kunit
	printf '%s\n' "${PROGRAMS[@]}"
	awk '{ print $2; if ($3 != $2 && !seen[$3]++) print $3 }' <<<"$TABLE"
}

# select_test NAME: NAME is a test, with or without its variant.
select_test() {
	local program full status=1
	while read -r program full; do
		status=0
		# A whole program that is named as well stays whole.
		[ "${ARGS[$program]-unset}" = '' ] || ARGS[$program]+=" -r $full"
	done < <(awk -v name="$1" '$2 == name || $3 == name { print $1, $2 }' <<<"$TABLE")
	return "$status"
}

select_names() {
	local name
	for name in ${TESTS:-kunit "${PROGRAMS[@]}"}; do
		case " kunit ${PROGRAMS[*]} " in *" $name "*) ARGS[$name]= ;; esac
	done
	for name in ${TESTS:-}; do
		[ -n "${ARGS[$name]+set}" ] || select_test "$name" ||
			bail_out "TESTS: there is no $name; the nearest names: $(all_names | nearest "$name")"
	done
}

wanted() { [ -n "${ARGS[$1]+set}" ]; }

# One suite name and its number of tests on each line, from the sources.
kunit_expected() {
	local sources
	mapfile -t sources < <(find src patches -name "*.rs" -o -name "*.patch" | sort)
	# A later patch can add to the suite of a file without showing its first line.
	awk '
		FNR == 1 { file = FILENAME }
		/^diff --git/ { file = $4 }
		match($0, /kunit_tests\([a-z0-9_]+\)/) {
			suite[file] = substr($0, RSTART + 12, RLENGTH - 13)
		}
		# A hunk names the function before it, which tells the suite if the file has several.
		match($0, /fn [a-z0-9_]+/) {
			fn = file " " substr($0, RSTART, RLENGTH)
			if (!/^@@/) suite_of[fn] = suite[file]
			else if (fn in suite_of) suite[file] = suite_of[fn]
		}
		/^\+?[[:space:]]*#\[test\]/ && suite[file] != "" && !/^ / { tests[suite[file]]++ }
		/^ +#\[test\]/ && file == FILENAME { tests[suite[file]]++ }
		/^-[[:space:]]*#\[test\]/ { tests[suite[file]]-- }
		END { for (name in tests) print name, tests[name] }
	' "${sources[@]}" | sort
}

kunit_suite() {
	local suite=$1 expected=$2 got status=0
	if [ ! -r "$KUNIT/$suite/results" ]; then
		note "no results of suite $suite: it has not run"
		result 1 "kunit.$suite"
		return
	fi
	sed 's/^/    /' "$KUNIT/$suite/results"
	got=$(grep -cE '^    (not )?ok [0-9]+ ' "$KUNIT/$suite/results")
	if [ "$got" -ne "$expected" ]; then
		note "$got results, but the source has $expected tests"
		status=1
	fi
	! grep -qE '^ *not ok ' "$KUNIT/$suite/results" || status=1
	result "$status" "kunit.$suite"
}

# Detaches targets and files that a failed program has left attached.
detach_leftovers() {
	local dir
	for dir in "$XPAGEMAP"/[0-9]*; do
		[ -d "$dir" ] || continue
		note "target ${dir##*/} was left attached"
		echo "${dir##*/}" >"$XPAGEMAP/detach"
	done
	for dir in "$XPAGEMAP"/files/*; do
		[ -d "$dir" ] || continue
		note "file ${dir##*/} was left attached"
		echo "${dir##*/}" >"$XPAGEMAP/detach_fd"
	done
}

# Restores the swap disk and zswap; the program that has not done so fails.
restored() {
	local status=0 device
	while read -r device _; do
		[ "$device" != "$XPAGEMAP_SWAPDEV" ] || continue
		note "swap device $device was left on"
		swapoff "$device"
		status=1
	done < <(tail -n +2 /proc/swaps)
	if ! grep -q "^$XPAGEMAP_SWAPDEV " /proc/swaps; then
		note "$XPAGEMAP_SWAPDEV was left without swap"
		swapon "$XPAGEMAP_SWAPDEV"
		status=1
	fi
	if [ -r "$ZSWAP" ] && [ "$(cat "$ZSWAP")" != N ]; then
		note "zswap was left on"
		echo N >"$ZSWAP"
		status=1
	fi
	return "$status"
}

# Fails if the program's output, on standard input, has not as many results as planned.
plan_kept() {
	awk '
		/^1\.\.[0-9]+/ { plan = substr($1, 4) }
		/^(not )?ok [0-9]+ / { results++ }
		END { exit !(plan > 0 && results == plan) }
	'
}

program() {
	local name=$1 status start=$SECONDS args
	read -ra args <<<"${ARGS[$name]}"
	timeout --kill-after=10 "$LIMIT" "$BIN/$name" "${args[@]}" 2>&1 </dev/null |
		tee "$OUTPUT" | sed -u 's/^/    /'
	status=${PIPESTATUS[0]}
	case $status in
	0 | 1) ;;
	124 | 137) note "$name: not done within $LIMIT s" ;;
	*) note "$name: exit status $status" ;;
	esac
	if ! plan_kept <"$OUTPUT"; then
		note "$name: not as many results as planned"
		status=1
	fi
	detach_leftovers
	# A program that was killed may have left the sysctl on.
	[ ! -w "$LOOKUP" ] || echo 0 >"$LOOKUP"
	# One that the time budget stopped could not restore anything.
	restored || grep -q '# SKIP time budget: it was stopped' "$OUTPUT" || status=1
	note "$name took $((SECONDS - start)) s"
	result "$status" "$name"
}

# The tests rely on one swap disk, and on zswap being off.
prepare() {
	OUTPUT=$(mktemp /run/xpagemap-selftests.XXXXXX) || exit 1
	trap 'rm -f "$OUTPUT"' EXIT
	[ -b "${XPAGEMAP_SWAPDEV:-}" ] || bail_out "XPAGEMAP_SWAPDEV names no swap disk"
	[ "$(tail -n +2 /proc/swaps | wc -l)" -eq 1 ] || bail_out "there must be one swap device"
	# Pages in zswap have a slot, but never reach the disk.
	[ ! -w "$ZSWAP" ] || echo N >"$ZSWAP"
}

# Leaves out programs that need a file which this kernel has not: they test what only another
# kernel can do. With nothing left, the document says why.
leave_out() {
	local name path missing=''
	while read -r name path; do
		if ! wanted "$name" || [ -e "$path" ]; then continue; fi
		note "$name is left out: it needs $path, which this kernel has not"
		missing=$path
		unset "ARGS[$name]"
	done < <(cd selftests && needed_files)
	[ "${#ARGS[@]}" -gt 0 ] || { echo "1..0 # SKIP this kernel has no $missing"; exit 0; }
}

run_patched() {
	local suites=() name expected plan=0
	[ -e "$XPAGEMAP/attach" ] || bail_out "no $XPAGEMAP/attach: the module is not loaded"
	leave_out
	! wanted kunit || mapfile -t suites < <(kunit_expected)
	for name in "${PROGRAMS[@]}"; do ! wanted "$name" || plan=$((plan + 1)); done
	echo "1..$((plan + ${#suites[@]}))"
	for name in "${suites[@]}"; do
		read -r name expected <<<"$name"
		kunit_suite "$name" "$expected"
	done
	for name in "${PROGRAMS[@]}"; do ! wanted "$name" || program "$name"; done
}

# Lines PROGRAM TEST STOCK of the tests with a `stock` comment that are wanted.
stock_wanted() {
	local program full _ stock
	while read -r program full _ stock; do
		[ "$stock" != - ] || continue
		wanted "$program" || continue
		case "${ARGS[$program]} " in
		' ' | *" -r $full "*) echo "$program $full $stock" ;;
		esac
	done <<<"$TABLE"
}

# stock_test PROGRAM TEST STOCK
stock_test() {
	local name=$2 stock=$3 out verdict='not ok' status=0
	out=$(XPAGEMAP_SOURCE=proc timeout --kill-after=10 "$LIMIT" "$BIN/$1" -r "$name" 2>&1 </dev/null)
	note "$out"
	[ "$stock" != passes ] || verdict=ok
	grep -q "^$verdict 1 $name$" <<<"$out" || status=1
	[ "$stock" != nothing ] ||
		grep -qE 'located 0 of ([1-9][0-9]*) in swap, \1 shown as nothing$' <<<"$out" || status=1
	case $stock in
	passes) result "$status" "stock.$name passes on stock, as it must" ;;
	*) result "$status" "stock.$name fails on stock, as it must" ;;
	esac
}

run_stock() {
	local lines=() line program name stock
	[ ! -e "$XPAGEMAP" ] || bail_out "the module is loaded: this is not stock"
	mapfile -t lines < <(stock_wanted)
	if [ "${#lines[@]}" -eq 0 ]; then
		echo "1..0 # SKIP no test that TESTS names has a result for stock"
		return
	fi
	echo "1..${#lines[@]}"
	for line in "${lines[@]}"; do
		read -r program name stock <<<"$line"
		stock_test "$program" "$name" "$stock"
	done
}

main() {
	case ${1:-} in
	'' | --stock) echo 'KTAP version 1' ;;
	esac
	read_names
	select_names
	case ${1:-} in
	'') prepare && run_patched ;;
	--stock) prepare && run_stock ;;
	--list) all_names ;;
	--stock-list) stock_wanted ;;
	*) bail_out "usage: selftests/run.sh [--stock | --list | --stock-list]" ;;
	esac
}

# On one line, so that bash has read all of this file before anything runs.
main "$@"; exit "$failed"
