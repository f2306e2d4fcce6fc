#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests of tally, as a KTAP document: valid and broken documents, with the last line and
# the exit status that each must give.

set -u
cd "$(dirname "$0")" || exit 1
input=$(mktemp)
trap 'rm -f "$input"' EXIT
number=0
failed=0
results=()

# expect NAME STATUS CLOSING-LINE: the document is on standard input.
expect() {
	local out status last
	cat >"$input"
	out=$(./tally "$input")
	status=$?
	last=${out##*$'\n'}
	number=$((number + 1))
	if [ "$status" = "$2" ] && [ "$last" = "$3" ]; then
		results+=("ok $number tally.$1")
		return
	fi
	failed=1
	results+=("# status $status, expected $2" "# \"$last\", expected \"$3\"" \
		"not ok $number tally.$1")
}

expect passes 0 '2 passed, 0 failed, 0 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
ok 2 - b
END

expect fails 1 '1 passed, 1 failed, 0 skipped' <<'END'
TAP version 13
1..2
ok 1 a
# what went wrong
not ok 2 b
END

expect skips_with_a_reason 0 '1 passed, 0 failed, 1 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
ok 2 b # SKIP no such thing here
END

expect skips_without_a_reason 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
ok 2 b # SKIP
END

expect nothing_but_skips 1 '0 passed, 0 failed, 1 skipped' <<'END'
KTAP version 1
1..1
ok 1 a # SKIP not today
END

expect nested 0 '3 passed, 0 failed, 0 skipped' <<'END'
KTAP version 1
1..2
    TAP version 13
    1..2
    ok 1 x
    ok 2 y
ok 1 a
ok 2 b
END

expect twice_nested_as_kunit_does 0 '2 passed, 0 failed, 0 skipped' <<'END'
KTAP version 1
1..1
    KTAP version 1
    1..1
        KTAP version 1
        # Subtest: suite
        1..2
        ok 1 x
        ok 2 y
    # suite: pass:2 fail:0 skip:0 total:2
    ok 1 suite
ok 1 kunit
END

expect fails_below_only 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..1
    TAP version 13
    1..2
    ok 1 x
    not ok 2 y
not ok 1 a
END

expect fails_below_an_ok 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..1
    TAP version 13
    1..2
    ok 1 x
    not ok 2 y
ok 1 a
END

expect fails_above_only 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..1
    TAP version 13
    1..1
    ok 1 x
# exit status 139
not ok 1 a
END

expect truncated 1 '1 passed, 2 failed, 0 skipped' <<'END'
KTAP version 1
1..3
ok 1 a
END

expect program_crashed 1 '2 passed, 2 failed, 0 skipped' <<'END'
KTAP version 1
1..2
    TAP version 13
    1..3
    ok 1 x
not ok 1 a
ok 2 b
END

expect truncated_inside 1 '1 passed, 3 failed, 0 skipped' <<'END'
KTAP version 1
1..1
    TAP version 13
    1..2
    ok 1 x
END

expect no_plan 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
ok 1 a
END

expect plan_at_the_end 0 '1 passed, 0 failed, 0 skipped' <<'END'
KTAP version 1
ok 1 a
1..1
END

expect more_than_planned 1 '2 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..1
ok 1 a
ok 2 b
END

expect misnumbered 1 '2 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
ok 3 c
END

expect bails_out 1 '1 passed, 2 failed, 0 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
Bail out! no more
END

expect nothing_planned 1 '0 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..0
END

expect all_skipped 1 '0 passed, 0 failed, 1 skipped' <<'END'
KTAP version 1
1..0 # SKIP nothing to test here
END

expect empty 1 '0 passed, 1 failed, 0 skipped' </dev/null

expect not_ktap 1 '0 passed, 1 failed, 0 skipped' <<'END'
bash: selftests/run.sh: No such file or directory
END

expect two_documents_in_one_file 1 '2 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..1
ok 1 a
KTAP version 1
1..1
ok 1 a
END

expect unexpected_pass 1 '1 passed, 1 failed, 0 skipped' <<'END'
KTAP version 1
1..2
ok 1 a
ok 2 b # XPASS
END

echo 'KTAP version 1'
echo "1..$number"
printf '%s\n' "${results[@]}"
exit "$failed"
