#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Holds CASES.md against the tests in the sources, as a KTAP document. Runs on the host.

# shellcheck disable=SC2016 # backquotes are Markdown's
set -u
cd "$(dirname "$0")" || exit 1
# shellcheck source=selftests/names.sh
. ./names.sh
number=0
failed=0
results=()

# Names of tests on standard input, one a line; `.test` alone gets the fixture before it.
# Words in backquotes are names if they have a dot, and neither a slash nor a file's suffix.
tests_named() {
	grep -o '`[^`]*`' | tr -d '`' | grep -E '^[a-z0-9_]*(\.[a-z0-9_*]+)+$' |
		grep -vE '\.(c|h|sh|ko|md)$' |
		awk '/^\./ { print prefix $0; next } { print; sub(/\.[^.]*$/, ""); prefix = $0 }'
}

# wrong_names: names on standard input that no test in $table has.
wrong_names() {
	local name program full short found
	while read -r name; do
		found=
		while read -r program full short _; do
			# shellcheck disable=SC2053 # the name is a pattern
			[[ $full == $name || $short == $name ]] && found=$program && break
		done <<<"$table"
		[ -n "$found" ] || echo "$name"
	done
}

# programs_missing: programs in $table of which no test is among the names on standard input.
programs_missing() {
	local patterns program full short name
	mapfile -t patterns
	while read -r program full short _; do
		for name in "${patterns[@]}"; do
			# shellcheck disable=SC2053 # the name is a pattern
			[[ $full == $name || $short == $name ]] && echo "named $program" && break
		done
		echo "all $program"
	done <<<"$table" | awk '
		$1 == "all" && !seen[$2]++ { order[++n] = $2 }
		$1 == "named" { named[$2] = 1 }
		END { for (i = 1; i <= n; i++) if (!(order[i] in named)) print order[i] }'
}

# expect NAME TEXT EXPECTED
expect() {
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		results+=("ok $number cases.$1")
		return
	fi
	failed=1
	results+=("# got: ${2//$'\n'/ }" "# expected: ${3:-nothing}" "not ok $number cases.$1")
}

if ! table=$(test_table); then
	printf 'KTAP version 1\n1..1\n# %s\nnot ok 1 cases.sources\n' "$(grep '^error: ' <<<"$table" | paste -s -d ' ')"
	exit 1
fi
names=$(tests_named <CASES.md)

expect every_test_named_exists "$(wrong_names <<<"$names")" ''
expect every_program_is_named "$(programs_missing <<<"$names")" ''
# The checks themselves can fail.
expect misspelt_name_is_found "$(tests_named <<<'`memfd.every_page_swaped`, `memfd.*`' | wrong_names)" memfd.every_page_swaped
expect misspelt_continuation_is_found "$(tests_named <<<'`events_fork.new_page`, `.fork_shared`' | wrong_names)" events_fork.fork_shared
expect misspelt_variant_is_found "$(tests_named <<<'`thp.order_5.*`' | wrong_names)" 'thp.order_5.*'
expect missing_program_is_found "$(grep -v '^memfd\.' <<<"$names" | programs_missing)" memfd

echo 'KTAP version 1'
echo "1..$number"
printf '%s\n' "${results[@]}"
exit "$failed"
