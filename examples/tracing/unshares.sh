#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Records by perf while COMMAND runs which pages of anonymous memory become exclusive, or stop being so, in
# which processes of the whole system and by which function of the kernel: COUNT PROCESS OPERATION FUNCTION.
#
#   unshares.sh [COMMAND [ARG...]]      by default, 10 seconds

[ $# -gt 0 ] || set -- sleep 10
data=$(mktemp)
trap 'rm -f "$data"' EXIT
perf record -q -a -o "$data" -e anon_exclusive:page_anon_exclusive -- "$@" >&2 || exit
perf script -i "$data" |
	sed -n 's/^ *\(.*[^ ]\)  *\([0-9][0-9]*\) \[[0-9]*\] .*op=\([a-z]*\) .*ip=\([^+ ]*\).*/\1 (\2) \3 \4/p' |
	sort | uniq -c | sort -rn
