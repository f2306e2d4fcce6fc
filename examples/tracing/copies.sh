#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Counts by trace-cmd what the forks of COMMAND cost later: pages that they shared, and how these
# became exclusive again: copied, or taken by the last process that had them, in place.
#
#   copies.sh COMMAND [ARG...]

data=$(mktemp)
trap 'rm -f "$data"' EXIT
trace-cmd record -q -F -c -o "$data" -e anon_exclusive:page_anon_exclusive "$@" >&2 || exit
trace-cmd report -i "$data" 2>/dev/null |
	sed -n 's/.*op=\([a-z]*\) old=\([01]\) .*ip=\([^+ ]*\).*address=\([^ ]*\)$/\1\2 \3 \4/p' |
	awk '$1 == "clear1" && $2 == "copy_page_range" { shared++; was_shared[$3] = 1 }
		# A write to a page of a file, or to the zero page, makes one that no fork had shared.
		$1 == "set0" && $2 == "folio_add_new_anon_rmap" && was_shared[$3] { copied++ }
		$1 == "set0" && $2 == "do_wp_page" { taken++ }
		END { print "shared", shared + 0; print "copied", copied + 0; print "in place", taken + 0 }'
