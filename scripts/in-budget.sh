#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest in place of the test program of its name, if that program can be
# done before the time budget ends: twice the time it took before must remain. A program
# that is left out, or that the end stops, has one test, which is skipped.
#
# XPAGEMAP_PROGRAMS is the programs' directory, XPAGEMAP_UNTIL the guest's uptime at the
# end of the budget, XPAGEMAP_DURATIONS a file of "NAME SECONDS".

set -u
NAME=${0##*/}
PROGRAM=$XPAGEMAP_PROGRAMS/$NAME
LIMIT=${XPAGEMAP_PROGRAM_TIMEOUT:-300}

left_out() {
	printf 'TAP version 13\n1..1\nok 1 %s # SKIP time budget: %s\n' "$NAME" "$*"
	exit 0
}

read -r uptime _ </proc/uptime
left=$((XPAGEMAP_UNTIL - ${uptime%.*}))
took=$(awk -v name="$NAME" '$1 == name { print $2 }' "$XPAGEMAP_DURATIONS" 2>/dev/null)
took=${took:-60}
[ $((2 * took)) -le "$left" ] || left_out "it took $took s before, and $left s remain"
[ "$left" -le "$LIMIT" ] || exec "$PROGRAM" "$@"

output=$(mktemp /run/in-budget.XXXXXX)
trap 'rm -f "$output"' EXIT
# In the same process group, so that a signal to it reaches the program.
timeout --foreground --kill-after=5 "$left" "$PROGRAM" "$@" >"$output" 2>&1
status=$?
case $status in
124 | 137) left_out "it was stopped after $left s, at the end of the budget" ;;
esac
cat "$output"
exit $status
