#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check.sh [--debug]: runs every test and ends with the one line
# `N passed, N failed, N skipped`. Plain: the host's tests, then those of the
# guest on the patched kernel and the proof on the stock kernel that they can
# fail. --debug: the guest's tests on the debug kernel.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

RESULTS=$BUILD/ktap
LIMIT=${XPAGEMAP_TEST_TIMEOUT:-3600}
DOCUMENTS=()

# A KTAP document of one result: what a whole step came to.
step_result() {
	local name=$1 status=$2 detail=$3 word=ok
	[ "$status" -eq 0 ] || word='not ok'
	{
		echo 'KTAP version 1'
		echo '1..1'
		[ "$status" -eq 0 ] || echo "# $detail"
		echo "$word 1 $name"
	} >"$RESULTS/$name.tap"
	DOCUMENTS+=("$RESULTS/$name.tap")
}

# cargo_tests NAME DIR WHAT: the tests of the crate in DIR. cargo speaks no KTAP;
# what it does say of each test is turned into that.
cargo_tests() {
	local name=$1 dir=$2 what=$3 status=0
	local log=$BUILD/log/cargo-test-$name.log
	work "$what" "$log" \
		env RUSTC="$RUSTC" CARGO_TARGET_DIR="$BUILD/$name" \
		"$CARGO" test --locked --manifest-path "$ROOT/$dir/Cargo.toml" || status=$?
	awk -v status="$status" -v crate="$name" '
		/^test .* \.\.\. / {
			name = crate "." $2; verdict = $NF; n++
			if (verdict == "ok") line[n] = "ok " n " " name
			else if (/\.\.\. ignored/) line[n] = "ok " n " " name " # SKIP ignored by cargo test"
			else line[n] = "not ok " n " " name
		}
		END {
			if (status != 0 || n == 0) line[++n] = "not ok " n " " crate ".cargo_test # exit status " status
			print "KTAP version 1\n1.." n
			for (i = 1; i <= n; i++) print line[i]
		}' "$log" >"$RESULTS/$name.tap"
	DOCUMENTS+=("$RESULTS/$name.tap")
}

# host NAME COMMAND...: KTAP from a program of the host's.
host() {
	local name=$1
	shift
	say "tests on the host: $name"
	"$@" </dev/null | tee "$RESULTS/$name.tap" || :
	DOCUMENTS+=("$RESULTS/$name.tap")
}

# guest NAME KERNEL COMMAND...: KTAP from the guest into $RESULTS/NAME.tap, and the
# guest's own exit status into NAME.status. TESTS chooses the programs.
guest() {
	local name=$1 kernel=$2 status=0
	shift 2
	say "tests in the guest: $name"
	# Two nodes, so that pages have somewhere to go.
	"$QEMU_DIR/run.sh" --verbose --kernel "$kernel" --nodes 2 --timeout "$LIMIT" --log "$BUILD/log/$name.klog" -- \
		env "TESTS=${TESTS:-}" "XPAGEMAP_SELFTESTS=$BUILD/selftests" "XPAGEMAP_STORM_SECONDS=${XPAGEMAP_STORM_SECONDS:-}" "$@" </dev/null |
		tee "$RESULTS/$name.tap" || status=${PIPESTATUS[0]}
	echo "$status" >"$RESULTS/$name.status"
	say "tests in the guest: $name: done"
}

# What came of a guest.
count_guest() {
	local name=$1 status
	status=$(cat "$RESULTS/$name.status" || echo 125)
	DOCUMENTS+=("$RESULTS/$name.tap")
	# 1 is the runner's word for failed tests, and these are counted one by one.
	case $status in 0 | 1) status=0 ;; esac
	step_result "$name.guest" "$status" "exit status $status: 125 no verdict, 126 a report in the kernel log, else the runner's"
}

# two_guests NAME KERNEL COMMAND...: the same, with half of the programs in each of
# two guests at a time: most programs need one CPU.
two_guests() {
	local name=$1 i=0 program halves=('kunit' '') other
	shift
	for program in $(make -s -C "$ROOT/selftests" list); do
		halves[i]+=" $program"
		i=$((1 - i))
	done
	TESTS=${halves[1]} guest "$name-2" "$@" >/dev/null &
	other=$!
	TESTS=${halves[0]} guest "$name-1" "$@"
	wait "$other"
	cat "$RESULTS/$name-2.tap"
	count_guest "$name-1"
	count_guest "$name-2"
}

main() {
	local command on_stock
	rm -rf "$RESULTS"
	mkdir -p "$RESULTS" "$BUILD/log"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	cd "$ROOT"

	if [ "${1:-}" = --debug ]; then
		"$QEMU_DIR/build.sh" debug
		build_selftests debug
		# Each program gets three times as long: the debug kernel is that much slower.
		command=(env XPAGEMAP_PROGRAM_TIMEOUT=900 selftests/run.sh)
		if [ -z "${TESTS:-}" ]; then
			two_guests debug debug "${command[@]}"
		else
			guest debug debug "${command[@]}"
			count_guest debug
		fi
	else
		on_stock=$(selftests/run.sh --stock-list) || die "$on_stock"
		"$QEMU_DIR/build.sh" patched
		[ -z "$on_stock" ] || "$QEMU_DIR/build.sh" stock
		build_selftests patched
		if [ -z "${TESTS:-}" ]; then
			cargo_tests tools tools "the command line's own tests"
			cargo_tests models models "explore the models of the races"
			host tally selftests/tally_test.sh
			host cases selftests/cases_test.sh
			host series "$SCRIPTS/test-series.sh"
			host harness "$SCRIPTS/test-harness.sh" stock
		else
			say "TESTS chooses $TESTS: the tests on the host are left out"
		fi
		guest patched patched selftests/run.sh
		count_guest patched
		if [ -n "$on_stock" ]; then
			guest stock stock selftests/run.sh --stock
			count_guest stock
		else
			say "TESTS chooses nothing that runs on stock"
		fi
	fi
	say "all tests have run"
	exec selftests/tally "${DOCUMENTS[@]}"
}

# Read whole before it runs, so that an edit meanwhile changes nothing.
main "$@"
exit
