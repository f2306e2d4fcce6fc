#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests the time budget in KTAP: the order of programs, their shares of the time, and
# scripts/in-budget.sh, with programs of its own.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
CACHE=$WORK/cache
# shellcheck source=scripts/budget.sh
. "$SCRIPTS/budget.sh"
COUNT=0

# is NAME EXPECTED GOT
is() {
	COUNT=$((COUNT + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $COUNT budget.$1"
	else
		printf '# expected: %s\n# got: %s\n' "${2//$'\n'/$'\n# '}" "${3//$'\n'/$'\n# '}"
		echo "not ok $COUNT budget.$1"
	fi
}

# in_budget SECONDS PROGRAM: its output and status, with that much time left.
in_budget() {
	local uptime status=0
	read -r uptime _ </proc/uptime
	XPAGEMAP_PROGRAMS=$WORK/programs XPAGEMAP_DURATIONS=$WORK/durations XPAGEMAP_UNTIL=$((${uptime%.*} + $1)) \
		XPAGEMAP_PROGRAM_TIMEOUT=100 "$WORK/bin/$2" argument || status=$?
	echo "status $status"
}

mkdir -p "$WORK"/{programs,bin} "$PASSED"
for name in quick failing endless; do ln -s "$SCRIPTS/in-budget.sh" "$WORK/bin/$name"; done
# shellcheck disable=SC2016 # for the program to expand
printf '#!/bin/sh\necho "ok $1"\n' >"$WORK/programs/quick"
printf '#!/bin/sh\necho not ok; exit 1\n' >"$WORK/programs/failing"
printf '#!/bin/sh\necho begun; exec sleep 1000\n' >"$WORK/programs/endless"
chmod +x "$WORK"/programs/*
printf '%s\n' 'quick 1' 'failing 1' 'endless 1' >"$WORK/durations"

echo 'KTAP version 1'
echo '1..17'
is no_end "$(unset XPAGEMAP_DEADLINE; remaining)" 1000000
XPAGEMAP_DEADLINE=$((EPOCHSECONDS + 600))
is time_limit_of_a_guest 3600 "$(XPAGEMAP_DEADLINE='' within 3600)"
is time_limit_is_what_remains yes "$(limit=$(within 3600); [ "$limit" -le 600 ] && [ "$limit" -gt 590 ] && echo yes)"
is time_limit_at_least_a_minute 60 "$(XPAGEMAP_DEADLINE=1 within 3600)"

printf '%s\n' 'a 5' 'b 7' | keep_durations test
printf '%s\n' 'b 9' 'c 1' | keep_durations test
is durations_of_the_last_run 'a 5
b 9
c 1' "$(cat "$CI_CACHE/test")"
is durations_of_documents 'memfd 12' "$(printf '%s\n' '    ok 1 memfd.test' '# memfd took 12 s' 'ok 1 memfd' \
	'    ok 1 fork # SKIP time budget: 1 s remain' '# fork took 0 s' 'ok 2 fork' | ktap_durations -)"

echo old >"$PASSED/recent"
echo old >"$PASSED/longago"
echo other >"$PASSED/changed"
touch -d '10 days ago' "$PASSED/longago"
is order 'changed
longago
recent' "$(printf '%s\n' 'recent old' 'longago old' 'changed new' | by_urgency)"
is shares '1 a
2 b
2 c
0 d
2 e' "$(printf '%s\n' 'a 40' 'b 10' 'c 20' 'd 80' 'e 5' >"$WORK/known"; printf '%s\n' a b c d e | share 100 "$WORK/known")"
is shares_of_unknown_programs '1 new
2 other
0 late' "$(printf '%s\n' new other late | share 120 "$WORK/known")"
is shares_without_durations '1 a
2 b' "$(printf '%s\n' a b | share 120 /dev/null)"

is program_with_time 'ok argument
status 0' "$(in_budget 1000 quick)"
is program_near_the_end 'not ok
status 1' "$(in_budget 50 failing)"
is program_without_time '1' "$(in_budget 1 quick | grep -c '^ok 1 quick # SKIP time budget: it took 1 s before, and [01] s remain')"
is program_that_the_end_stops 'ok 1 endless # SKIP time budget: it was stopped after' \
	"$(in_budget 3 endless | grep -o '^ok 1 endless # SKIP time budget: it was stopped after')"

# ci LINE STATUS: .ci/run with a make whose check-debug ends with LINE and STATUS.
ci() {
	local status=0
	cat >"$WORK/make" <<-END
		#!/bin/sh
		case \$1 in
		lint) echo clean ;;
		check-debug) echo '$1'; exit $2 ;;
		*) echo "ok 1 some # SKIP time budget: for \$1"; echo '7 passed, 0 failed, 1 skipped' ;;
		esac
	END
	chmod +x "$WORK/make"
	XPAGEMAP_CI_MAKE=$WORK/make XPAGEMAP_CI_LOG=$WORK/log "$ROOT/.ci/run" >"$WORK/out" 2>/dev/null || status=$?
	tail -n 6 "$WORK/out"
	echo "status $status"
}

is ci_sums_up 'lint: 1 passed, 0 failed, 0 skipped
check: 7 passed, 0 failed, 1 skipped
bench: 7 passed, 0 failed, 1 skipped
check-upstream: 7 passed, 0 failed, 1 skipped
check-debug: 5 passed, 0 failed, 2 skipped
27 passed, 0 failed, 5 skipped
status 0' "$(ci '5 passed, 0 failed, 2 skipped' 0)"
is ci_names_what_is_left_out 'ok 1 some # SKIP time budget: for check
ok 1 some # SKIP time budget: for check-upstream' "$(tail -n 8 "$WORK/out" | head -n 2)"
is ci_without_closing_line '22 passed, 1 failed, 3 skipped
status 1' "$(ci 'it was killed' 1 | tail -n 2)"
