#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest, as root, from the repository's root; prints one KTAP document.
#
#   selftests/run.sh [--stock]
#
# Plain: the KUnit suites of the module and of the patches, then every program of
# the Makefile's list. --stock: proof that the programs can fail. On a kernel
# without the patches the same programs read /proc/PID/pagemap; what is in shared
# swap must come out as nothing, and private memory must still pass.
#
# TESTS in the environment names the programs to run, all by default; `kunit`
# stands for the KUnit suites. XPAGEMAP_STORM_SECONDS is how long each storm lasts
# (20 s, but those among the exclusive_* and events_* programs 3). Exit status 0 only
# if nothing failed.

set -u
cd "$(dirname "$0")/.." || exit 1
BIN=${XPAGEMAP_SELFTESTS:-build/selftests}
KUNIT=/sys/kernel/debug/kunit
XPAGEMAP=/sys/kernel/debug/xpagemap
ZSWAP=/sys/module/zswap/parameters/enabled
LOOKUP=/proc/sys/vm/pagemap_shmem_swap
# Storms last as long as they are told to, a program has up to ten, and there is more to do.
LIMIT=$((${XPAGEMAP_PROGRAM_TIMEOUT:-300} + 10 * ${XPAGEMAP_STORM_SECONDS:-0}))
OUTPUT=$(mktemp /run/xpagemap-selftests.XXXXXX) || exit 1
trap 'rm -f "$OUTPUT"' EXIT
number=0
failed=0

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

wanted() { [ -z "${TESTS:-}" ] || [[ " $TESTS " == *" $1 "* ]]; }

# One suite name and its number of tests per line, from the sources.
kunit_expected() {
	local sources
	mapfile -t sources < <(find src patches -name "*.rs" -o -name "*.patch" | sort)
	awk '
		FNR == 1 || /^diff --git/ { suite = "" }
		match($0, /kunit_tests\([a-z0-9_]+\)/) {
			suite = substr($0, RSTART + 12, RLENGTH - 13)
		}
		/^\+?[[:space:]]*#\[test\]/ && suite != "" { tests[suite]++ }
		END { for (suite in tests) print suite, tests[suite] }
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

# A failed program may leave what it attached; the next one must not suffer for it.
detach_leftovers() {
	local dir
	for dir in "$XPAGEMAP"/[0-9]*; do
		[ -d "$dir" ] || continue
		note "target ${dir##*/} was left behind"
		echo "${dir##*/}" >"$XPAGEMAP/detach"
	done
	for dir in "$XPAGEMAP"/files/*; do
		[ -d "$dir" ] || continue
		note "file ${dir##*/} was left behind"
		echo "${dir##*/}" >"$XPAGEMAP/detach_fd"
	done
}

# Programs that change what all rely on put it back. If one did not, it fails,
# and the next one must not suffer for it.
restored() {
	local status=0 device
	while read -r device _; do
		[ "$device" != "$XPAGEMAP_SWAPDEV" ] || continue
		note "swap device $device was left behind"
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

# The output of a program is on standard input: as many results as it planned?
plan_kept() {
	awk '
		/^1\.\.[0-9]+/ { plan = substr($1, 4) }
		/^(not )?ok [0-9]+ / { results++ }
		END { exit !(plan > 0 && results == plan) }
	'
}

program() {
	local name=$1 status start=$SECONDS
	timeout --kill-after=10 "$LIMIT" "$BIN/$name" 2>&1 </dev/null |
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
	# A program that died in the middle may have left it on.
	[ ! -w "$LOOKUP" ] || echo 0 >"$LOOKUP"
	restored || status=1
	note "$name took $((SECONDS - start)) s"
	result "$status" "$name"
}

# What the tests rely on and a kernel may have set otherwise.
prepare() {
	[ -b "${XPAGEMAP_SWAPDEV:-}" ] || bail_out "XPAGEMAP_SWAPDEV names no swap disk"
	[ "$(tail -n +2 /proc/swaps | wc -l)" -eq 1 ] || bail_out "there must be one swap device"
	# Pages that zswap keeps have a slot, but never reach the disk.
	[ ! -w "$ZSWAP" ] || echo N >"$ZSWAP"
}

all_programs() { make -s --no-print-directory -C selftests list; }

check_names() {
	local name
	for name in ${TESTS:-}; do
		[[ " kunit $* " == *" $name "* ]] || bail_out "TESTS: there is no $name"
	done
}

run_patched() {
	local programs suites=() name expected plan=0
	mapfile -t programs < <(all_programs)
	[ "${#programs[@]}" -gt 0 ] || bail_out "no programs in the list"
	check_names "${programs[@]}"
	[ -e "$XPAGEMAP/attach" ] || bail_out "no $XPAGEMAP/attach: the module is not loaded"
	! wanted kunit || mapfile -t suites < <(kunit_expected)
	for name in "${programs[@]}"; do ! wanted "$name" || plan=$((plan + 1)); done
	echo "1..$((plan + ${#suites[@]}))"
	for name in "${suites[@]}"; do
		read -r name expected <<<"$name"
		kunit_suite "$name" "$expected"
	done
	for name in "${programs[@]}"; do ! wanted "$name" || program "$name"; done
}

# Tests that stock must fail, and why: all pages due, none told, all as nothing.
STOCK_FAILS=(
	shmem.posting_2021.every_swapped_page_is_located
	shmem.larger.every_swapped_page_is_located
	memfd.every_page_swapped
	tmpfs.plain.mapped_from_an_odd_page_on
	fork.child_that_touched_nothing
	thp.pmd.swapped_whole_in_consecutive_slots
)
# Defects of stock that the patches mend: these just fail there.
STOCK_DEFECTS=(
	usage.shared_mapping_of_parts_of_entries
	usage.private_mapping_page_by_page
	usage.mincore_of_entries_partly_in_the_swap_cache
)
# Controls that stock must pass: the comparison with the disk is sound there too.
STOCK_PASSES=(
	private.anonymous
	shared.dev_zero_mapped_private
	memfd.resident_pages_are_as_in_proc
)
# The program that a test is in, where that is not the fixture's name.
declare -A PROGRAM_OF=([shared]=tmpfs)

program_of() {
	local fixture=${1%%.*}
	echo "${PROGRAM_OF[$fixture]:-$fixture}"
}

stock_run() {
	XPAGEMAP_SOURCE=proc timeout --kill-after=10 "$LIMIT" \
		"$BIN/$(program_of "$1")" -r "$1" 2>&1 </dev/null
}

stock_must_fail() {
	local out status=0
	out=$(stock_run "$1")
	note "$out"
	grep -q "^not ok 1 $1$" <<<"$out" || status=1
	[[ " ${STOCK_DEFECTS[*]} " == *" $1 "* ]] ||
		grep -qE 'located 0 of ([1-9][0-9]*) in swap, \1 shown as nothing$' <<<"$out" || status=1
	result "$status" "stock.$1 fails on stock, as it must"
}

stock_must_pass() {
	local out status=0
	out=$(stock_run "$1")
	note "$out"
	grep -q "^ok 1 $1$" <<<"$out" || status=1
	result "$status" "stock.$1 passes on stock, as it must"
}

run_stock() {
	local name fails=() passes=()
	[ ! -e "$XPAGEMAP" ] || bail_out "the module is loaded: this is not stock"
	for name in "${STOCK_FAILS[@]}" "${STOCK_DEFECTS[@]}"; do ! wanted "$(program_of "$name")" || fails+=("$name"); done
	for name in "${STOCK_PASSES[@]}"; do ! wanted "$(program_of "$name")" || passes+=("$name"); done
	if [ $((${#fails[@]} + ${#passes[@]})) -eq 0 ]; then
		echo "1..0 # SKIP the programs of TESTS have no proof on stock"
		return
	fi
	echo "1..$((${#fails[@]} + ${#passes[@]}))"
	for name in "${fails[@]}"; do stock_must_fail "$name"; done
	for name in "${passes[@]}"; do stock_must_pass "$name"; done
}

main() {
	echo 'KTAP version 1'
	case ${1:-} in
	'') prepare && run_patched ;;
	--stock) prepare && run_stock ;;
	*) bail_out "usage: selftests/run.sh [--stock]" ;;
	esac
}

# On one line, so that bash has read all of this file before anything runs.
main "$@"; exit "$failed"
