#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of scripts/results.sh, in KTAP: a guest that emulation ended is continued, and no other.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/budget.sh
. "$SCRIPTS/budget.sh"
# shellcheck source=scripts/results.sh
. "$SCRIPTS/results.sh"

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
BUILD=$WORK RESULTS=$WORK/ktap QEMU_DIR=$WORK CI_CACHE=$WORK/ci
mkdir -p "$RESULTS" "$BUILD/log"
COUNT=0

# klog REPORT BYTE: a guest's log that ends with this report; BYTE is the one before the trap.
klog() {
	printf '[  852.761675] %s\n' "$1" 'CPU: 1 UID: 0 PID: 1204 Comm: events_cycle' \
		"Code: 00 00 $2 <b3> 04 00 00" 'Kernel panic - not syncing: Fatal exception in interrupt'
}

# In place of qemu/run.sh: the first guest has two results and dies, the second one has the rest.
cat >"$QEMU_DIR/run.sh" <<'END'
#!/bin/bash
dir=$(dirname "$0")
while [ "$1" != -- ]; do
	[ "$1" != --log ] || log=$2
	shift
done
for word; do case $word in TESTS=*) echo "${word#TESTS=}" >>"$dir/asked" ;; esac; done
if [ "$(wc -l <"$dir/asked")" -eq 1 ]; then
	cp "$dir/klog" "$log"
	printf 'KTAP version 1\n1..4\nok 1 kunit.a\n    1..2\n    ok 1 x\nok 2 one\n    1..3\n    ok 1 y\n'
	exit 126
fi
printf 'KTAP version 1\n1..2\nok 1 two\nok 2 three\n'
: >"$log"
END
chmod +x "$QEMU_DIR/run.sh"

# run KLOG: a guest that dies with this log; the programs asked for are then in $WORK/asked.
run() {
	rm -f "$RESULTS"/* "$WORK/asked"
	DOCUMENTS=()
	echo "$1" >"$WORK/klog"
	TESTS='kunit one two three' guest g debug true >/dev/null 2>&1
	TESTS='kunit one two three' count_guest g
}

tallied() { "$ROOT/selftests/tally" "${DOCUMENTS[@]}" 2>&1 | tail -n 1; }

result() {
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@"; then
		echo "ok $COUNT $name"
	else
		printf '# %s\n' "$*" "$(tallied)"
		echo "not ok $COUNT $name"
	fi
}

continued() {
	run "$(klog 'Oops: int3: 0000 [#1] SMP KASAN' e9)"
	[ "$(tail -n +2 "$WORK/asked")" = 'two three' ] && [[ $(tallied) = *' passed, 0 failed, '* ]]
}

# failed KLOG: it is not continued, and fails.
failed() {
	run "$1"
	[ "$(wc -l <"$WORK/asked")" -eq 1 ] && [[ $(tallied) != *' passed, 0 failed, '* ]]
}

echo 'KTAP version 1'
echo '1..4'
result results.guest_is_continued_after_a_stale_breakpoint continued
result results.breakpoint_in_memory_is_a_failure failed "$(klog 'Oops: int3: 0000 [#1] SMP KASAN' cc)"
result results.other_oops_is_a_failure failed "$(klog 'Oops: 0000 [#1] SMP KASAN' e9)"
result results.report_before_the_breakpoint_is_a_failure failed "$(klog 'WARNING: mm/gup.c:1 at gup' e9; klog 'Oops: int3: 0000 [#1] SMP' e9)"
