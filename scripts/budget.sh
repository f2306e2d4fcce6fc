# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The time budget: XPAGEMAP_DEADLINE is its end in seconds since the epoch; unset, there
# is none. Durations of earlier runs are kept in the cache. Sourced after common.sh.

CI_CACHE=$CACHE/ci
# Seconds for a program that has not run before.
DEFAULT_DURATION=60

remaining() { echo $((${XPAGEMAP_DEADLINE:-$EPOCHSECONDS + 1000000} - EPOCHSECONDS)); }

# within SECONDS: as many, or those that remain, but a minute at least.
within() {
	local left
	left=$(remaining)
	[ "$left" -ge 60 ] || left=60
	echo $((left < $1 ? left : $1))
}

# keep_durations FILE: "NAME SECONDS" on standard input, added to what is known in FILE.
keep_durations() {
	mkdir -p "$CI_CACHE"
	touch "$CI_CACHE/$1"
	cat "$CI_CACHE/$1" - | awk '{ seconds[$1] = $2 } END { for (name in seconds) print name, seconds[name] }' |
		sort >"$CI_CACHE/$1.new"
	mv "$CI_CACHE/$1.new" "$CI_CACHE/$1"
}

# duration FILE NAME: what is known, or nothing.
duration() { awk -v name="$2" '$1 == name { print $2 }' "$CI_CACHE/$1" 2>/dev/null; }

# Durations of programs in KTAP documents of selftests/run.sh. A program that the budget
# left out has none.
ktap_durations() {
	awk '
		/^ +ok 1 .*# SKIP time budget/ { out = 1 }
		/^# [a-z0-9_]+ took [0-9]+ s$/ { if (!out) print $2, $4; out = 0 }' "$@"
}
