# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Results of tests as KTAP documents in $RESULTS, which selftests/tally counts.
# Sourced after common.sh and budget.sh.

RESULTS=$BUILD/ktap
LIMIT=${XPAGEMAP_TEST_TIMEOUT:-3600}
DOCUMENTS=()

# step_result NAME STATUS DETAIL: a document of one result, for a whole step.
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

# cargo_tests NAME DIR LABEL: the tests of the crate in DIR, from cargo's output.
cargo_tests() {
	local name=$1 dir=$2 label=$3 status=0
	local log=$BUILD/log/cargo-test-$name.log
	work "$label" "$log" \
		env RUSTC="$RUSTC" RUSTDOC="${RUSTDOC:-$(dirname "$RUSTC")/rustdoc}" CARGO_TARGET_DIR="$BUILD/$name" \
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
}

# stale_breakpoint LOG: the guest died of a breakpoint that is not in memory. The kernel
# patches its code through int3 and waits for all CPUs before it goes on, so no CPU can
# execute it later. QEMU's emulation can: it may translate code that another CPU is about to
# overwrite. The byte before the trap is shown in "Code:", before the one in <>.
stale_breakpoint() {
	local oops
	oops=$(grep -aE -m 1 -A 8 "WARNING: |BUG: |Oops: |KASAN: |Kernel panic" "$1") || return 1
	grep -aqE '^(\[ *[0-9.]+\] )?Oops: int3: ' <<<"${oops%%$'\n'*}" &&
		grep -aE '\] Code: ' <<<"$oops" | grep -qE ' [0-9a-f]{2} <[0-9a-f]{2}>' &&
		! grep -aE '\] Code: ' <<<"$oops" | grep -qE ' cc <[0-9a-f]{2}>'
}

# without_result TAP PROGRAM...: those that the document has no result of. The suites of
# kunit come first and together.
without_result() {
	local tap=$1 name
	shift
	for name; do
		if [ "$name" = kunit ]; then
			grep -aqE '^(not )?ok [0-9]+ kunit\.' "$tap" || echo kunit
		else
			grep -aqE "^(not )?ok [0-9]+ $name( |\$)" "$tap" || echo "$name"
		fi
	done
}

# complete_results TAP: cuts the document off behind its last result, and the plan too.
complete_results() {
	awk '{ line[NR] = $0 } /^(not )?ok [0-9]+ / { last = NR; results++ }
		END { for (i = 1; i <= last; i++) print line[i] ~ /^1\.\.[0-9]/ ? "1.." results : line[i] }' "$1" >"$1.new"
	mv "$1.new" "$1"
}

# guest NAME KERNEL COMMAND...: KTAP from the guest into $RESULTS/NAME.tap, and the
# guest's own exit status into NAME.status. TESTS chooses the programs. If emulation ended
# the guest, another one runs the programs that have no result, once.
guest() {
	local name=$1 kernel=$2 rest programs=()
	shift 2
	one_guest "$name" "$kernel" "$@"
	read -ra programs <<<"${TESTS:-kunit $(make -s -C "$ROOT/selftests" list | paste -sd ' ')}"
	[ "$(cat "$RESULTS/$name.status")" -eq 126 ] && stale_breakpoint "$BUILD/log/$name.klog" || return 0
	# Single tests, and those on stock, have results of other names; and there must be some to keep.
	[[ ${programs[*]} != *.* && $* != *--stock* ]] && grep -aqE '^(not )?ok 1 ' "$RESULTS/$name.tap" || return 0
	rest=$(without_result "$RESULTS/$name.tap" "${programs[@]}" | paste -sd ' ')
	[ -n "$rest" ] || return 0
	say "tests in the guest: $name: QEMU's emulation executed a breakpoint that is not in memory; once more from there: $rest"
	complete_results "$RESULTS/$name.tap"
	echo 0 >"$RESULTS/$name.status"
	# The end of the time budget, in the uptime of the new guest.
	TESTS=$rest one_guest "$name.again" "$kernel" "${@/#XPAGEMAP_UNTIL=*/XPAGEMAP_UNTIL=$(($(remaining) - 60))}"
}

one_guest() {
	local name=$1 kernel=$2 status=0
	shift 2
	say "tests in the guest: $name"
	# Two nodes, so that pages have somewhere to go.
	"$QEMU_DIR/run.sh" --verbose --kernel "$kernel" --nodes 2 --timeout "$(within "$LIMIT")" --log "$BUILD/log/$name.klog" -- \
		env "TESTS=${TESTS:-}" "XPAGEMAP_SELFTESTS=${PROGRAMS_DIR:-$BUILD/selftests}" \
		"XPAGEMAP_STORM_SECONDS=${XPAGEMAP_STORM_SECONDS:-}" "$@" </dev/null |
		tee "$RESULTS/$name.tap" || status=${PIPESTATUS[0]}
	echo "$status" >"$RESULTS/$name.status"
	say "tests in the guest: $name: done"
}

# Counts a guest's document and exit status.
count_guest() {
	local name=$1 status
	status=$(cat "$RESULTS/$name.status" || echo 125)
	DOCUMENTS+=("$RESULTS/$name.tap")
	# 1 is the runner's status for failed tests, and these are counted one by one.
	case $status in 0 | 1) status=0 ;; esac
	step_result "$name.guest" "$status" "exit status $status: 125 no verdict, 126 a report in the kernel log, else the runner's"
	# Single tests tell nothing of the whole program.
	[ -n "${TESTS:-}" ] || ktap_durations "$RESULTS/$name.tap" | keep_durations "durations-${name%%[-.]*}"
	[[ $name = *.again ]] || [ ! -e "$RESULTS/$name.again.status" ] || count_guest "$name.again"
}
