#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/tracers.sh: rows `OPERATION | FUNCTION | COUNT` of the sharer's 64 pages
# by each tool, and what the scripts of examples/tracing/ print.

set -euo pipefail
cd "$(mktemp -d)"
PATH=$TRACERS/usr/bin:$PATH
EVENT=anon_exclusive:page_anon_exclusive
# The sharer's pages are at 0x200000000000 to 0x20000003f000.
changes() { sed -n 's/.*op=\([a-z]*\) .*ip=\([a-z0-9_]*\)[+].*address=0x2000000[0-9a-f]*$/\1 \2/p' | sort | uniq -c; }

# All three record one run: how many pages are copied and how many are taken in place varies a little.
perf record -q -a -o perf.data -e "$EVENT" -- \
	trace-cmd record -q -o trace.dat -e "$EVENT" "$XPAGEMAP" trace --each -f -- "$SHARER" >each 2>errors ||
	{ cat errors >&2; exit 1; }
perf script -i perf.data | changes >by-perf
trace-cmd report -i trace.dat 2>/dev/null | changes >by-trace-cmd
awk '$2 ~ /^2000000[0-9a-f]*$/ { sub("[+].*", "", $5); print $3, $5 }' each | sort | uniq -c >by-xpagemap
awk '{ key = $2 " | " $3; count[FILENAME, key] = $1; keys[key] }
	END { for (key in keys) print key, "|", count["by-perf", key] + 0, "|", count["by-trace-cmd", key] + 0, "|", count["by-xpagemap", key] + 0 }' \
	by-perf by-trace-cmd by-xpagemap | sort
echo ---
"$EXAMPLES/copies.sh" "$SHARER"
echo ---
"$EXAMPLES/unshares.sh" "$SHARER" | head -n 6
echo ---
{ timeout 120 bpftrace "$EXAMPLES/unshares.bt" 2>&1 || :; } | head -n 3
