#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fails if a file has more than 400 lines, or a source file no licence in its first
# lines. Patches, lock files, the licence, the generated manual page and drawings may
# be longer.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

MAXIMUM=400
status=0
cd "$ROOT"
while read -r file; do
	[ ! -L "$file" ] || continue
	case $file in
	*.patch | *.lock | COPYING | patches/* | Documentation/xpagemap.8 | *.svg) continue ;;
	esac
	lines=$(wc -l <"$file")
	if [ "$lines" -gt "$MAXIMUM" ]; then
		echo "$file: $lines lines, more than $MAXIMUM"
		status=1
	fi
	case $file in
	*.md | *.txt | *.json | *.svg | *.[1-9]) continue ;;
	esac
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: '; then
		echo "$file: no SPDX-License-Identifier in its first three lines"
		status=1
	fi
done < <(git ls-files -co --exclude-standard | while read -r file; do [ ! -f "$file" ] || echo "$file"; done)
exit $status
