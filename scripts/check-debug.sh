#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check-debug.sh: runs the guest's tests on the debug kernel, and ends with the
# line `N passed, N failed, N skipped`. TESTS chooses programs and tests.
#
# With a time budget (see scripts/budget.sh), programs whose source has changed since
# they last passed here come first, then those that passed longest ago. Programs for
# which no time is left are named, and count as skipped.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/budget.sh
. "$SCRIPTS/budget.sh"
# shellcheck source=scripts/results.sh
. "$SCRIPTS/results.sh"

# The debug kernel is slow: each program gets three times as long.
RUNNER=(env XPAGEMAP_PROGRAM_TIMEOUT=900 selftests/run.sh)
# Seconds that a guest needs to boot, and in the end to look for leaks.
AROUND=120

# The programs that passed, all of their tests included, keep a hash of their source.
keep_passed() {
	mkdir -p "$PASSED"
	awk '
		/^ +ok 1 .*# SKIP time budget/ { out = 1 }
		/^(not )?ok [0-9]+ / { if ($1 == "ok" && !out) print $3; out = 0 }' "$RESULTS"/debug*.tap |
		{ grep -v '^kunit\.\|\.guest$' || :; } | while read -r name; do
		grep "^$name " "$RESULTS/hashes" | cut -d ' ' -f 2 >"$PASSED/$name" || rm -f "$PASSED/$name"
	done
}

# left_out_document REASON NAME...: a document that skips these programs.
left_out_document() {
	local reason=$1 number=0 name
	shift
	{
		echo 'KTAP version 1'
		echo "1..$#"
		for name; do
			number=$((number + 1))
			echo "ok $number $name # SKIP time budget: $reason"
		done
	} >"$RESULTS/left-out.tap"
	DOCUMENTS+=("$RESULTS/left-out.tap")
}

# Half of the programs in each of two guests at a time: most need one CPU.
two_guests() {
	local other=''
	if [ -n "$2" ]; then
		TESTS=$2 guest debug-2 debug "${RUNNER[@]}" >/dev/null &
		other=$!
	fi
	TESTS=$1 guest debug-1 debug "${RUNNER[@]}"
	count_guest debug-1
	[ -n "$other" ] || return 0
	wait "$other"
	cat "$RESULTS/debug-2.tap"
	count_guest debug-2
}

# The plan in $RESULTS/share, as the names for two guests.
run_shared() {
	local left_out
	mapfile -t left_out < <(awk '$1 == 0 { print $2 }' "$RESULTS/share")
	[ ${#left_out[@]} -eq 0 ] || left_out_document "$(($(remaining) / 60)) minutes remain, and others were more urgent" "${left_out[@]}"
	two_guests "kunit $(awk '$1 == 1 { print $2 }' "$RESULTS/share" | paste -sd ' ')" \
		"$(awk '$1 == 2 { print $2 }' "$RESULTS/share" | paste -sd ' ')"
	keep_passed
}

# With no end of the time, every program is run.
run_all() {
	share 10000000 "$RESULTS/durations" <"$RESULTS/order" >"$RESULTS/share"
	run_shared
}

# Programs in two guests until the budget ends, behind scripts/in-budget.sh.
run_in_budget() {
	local name left
	left=$(($(remaining) - AROUND))
	PROGRAMS_DIR=$BUILD/budgeted
	rm -rf "$PROGRAMS_DIR"
	mkdir -p "$PROGRAMS_DIR"
	while read -r name; do ln -s "$SCRIPTS/in-budget.sh" "$PROGRAMS_DIR/$name"; done <"$RESULTS/order"
	RUNNER=(env "XPAGEMAP_PROGRAMS=$BUILD/selftests" "XPAGEMAP_UNTIL=$(($(remaining) - AROUND / 2))"
		"XPAGEMAP_DURATIONS=$RESULTS/durations" "${RUNNER[@]}")
	share "$left" "$RESULTS/durations" <"$RESULTS/order" >"$RESULTS/share"
	run_shared
}

# The budget is over before anything could run.
nothing_runs() {
	say "check-debug: $1"
	mapfile -t names <"$RESULTS/order"
	left_out_document "$1" kunit "${names[@]}"
	echo "check-debug: left out, ${#names[@]} programs: ${names[*]}"
	printf '0 passed, 0 failed, %d skipped\n' $((${#names[@]} + 1))
	exit 0
}

build_debug() {
	local status=0
	if [ -z "${XPAGEMAP_DEADLINE:-}" ]; then
		"$QEMU_DIR/build.sh" debug
		return
	fi
	[ "$(remaining)" -gt $((2 * AROUND)) ] || nothing_runs "no time is left for a guest"
	timeout "$(remaining)" "$QEMU_DIR/build.sh" debug || status=$?
	[ "$status" -ne 124 ] || nothing_runs "the debug kernel was not built in time; the next build goes on from there"
	[ "$status" -eq 0 ] || die "the debug kernel could not be built"
	[ "$(remaining)" -gt $((2 * AROUND)) ] || nothing_runs "the debug kernel is built, and no time is left for a guest"
}

main() {
	rm -rf "$RESULTS"
	mkdir -p "$RESULTS" "$BUILD/log"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	cd "$ROOT"
	make -s -C selftests list | source_hashes >"$RESULTS/hashes"
	by_urgency <"$RESULTS/hashes" >"$RESULTS/order"
	durations >"$RESULTS/durations"
	build_debug
	build_selftests debug
	if [ -n "${TESTS:-}" ]; then
		guest debug debug "${RUNNER[@]}"
		count_guest debug
	elif [ -n "${XPAGEMAP_DEADLINE:-}" ]; then
		run_in_budget
	else
		run_all
	fi
	say "all tests have run"
	exec selftests/tally "${DOCUMENTS[@]}"
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
