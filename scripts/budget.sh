# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The time budget: XPAGEMAP_DEADLINE is its end in seconds since the epoch; unset, there
# is none. Durations of earlier runs are kept in the cache. Sourced after common.sh.

CI_CACHE=$CACHE/ci
# Programs that passed on the debug kernel, each a file with the hash of its source.
PASSED=$CI_CACHE/debug-passed
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

# Durations of programs in KTAP documents of selftests/run.sh. A program that the budget
# left out has none.
ktap_durations() {
	awk '
		/^ +ok 1 .*# SKIP time budget/ { out = 1 }
		/^# [a-z0-9_]+ took [0-9]+ s$/ { if (!out) print $2, $4; out = 0 }' "$@"
}

# The programs on standard input, a hash of its source with each, as "NAME HASH".
source_hashes() {
	local name
	while read -r name; do echo "$name $(cat selftests/*/"$name.c" | sha256sum | cut -d ' ' -f 1)"; done
}

# "NAME HASH" lines on standard input, in the order they are to run, the most urgent first.
by_urgency() {
	local name hash last commit
	commit=$(git rev-parse HEAD 2>/dev/null || date +%F)
	while read -r name hash; do
		last=0
		[ "$(cat "$PASSED/$name" 2>/dev/null || :)" != "$hash" ] || last=$(stat -c %Y "$PASSED/$name")
		# Among equals, another order for each commit.
		echo "$last $(echo "$commit $name" | sha256sum | cut -c 1-16) $name"
	done | sort -k 1,1n -k 2 | cut -d ' ' -f 3
}

# Durations on the debug kernel; for a program that has none, four times that on patched.
durations() {
	{
		awk '{ print $1, 4 * $2 + 2 }' "$CI_CACHE/durations-patched" 2>/dev/null || :
		cat "$CI_CACHE/durations-debug" 2>/dev/null || :
	} | awk '{ seconds[$1] = $2 } END { for (name in seconds) print name, seconds[name] }'
}

# share SECONDS DURATIONS: names on standard input, shared out to two guests that have
# SECONDS each: "GUEST NAME" for each, guest 0 for a program that is left out. A program
# whose duration is not known counts as 60 s.
share() {
	awk -v seconds="$1" '
		FILENAME != "-" { took[$1] = $2; next }
		{
			need = $1 in took ? took[$1] : 60
			guest = sum[1] <= sum[2] ? 1 : 2
			if (2 * need > seconds - sum[guest]) guest = 0
			else sum[guest] += need
			print guest, $1
		}' "$2" -
}
