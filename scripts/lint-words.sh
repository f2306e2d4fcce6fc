#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Counts comment lines that open with a question word, and fails if they are more than
# one in a hundred. Comment lines are those of C, Rust, shell and configuration files,
# those in lines that a patch adds, and the lines of a patch's message. Prints the lines
# that open so.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

cd "$ROOT"
# shellcheck disable=SC2016 # for awk to expand
git ls-files -co --exclude-standard | while read -r file; do [ ! -f "$file" ] || echo "$file"; done |
	xargs -d '\n' awk '
	BEGIN { opening = "^(What|Who|Whoever|Where|Which|How|Whether|Those)($|[^A-Za-z0-9_])" }
	# kind_of NAME: the syntax of its comments.
	function kind_of(name) {
		if (name ~ /\.(c|h|rs)$/) return "c"
		if (name ~ /\.(sh|config|ya?ml|toml|py)$|(^|\/)(Makefile|Kbuild|Kconfig[^\/]*|\.gitignore|\.editorconfig|run)$/) return "#"
		return ""
	}
	function count(text) {
		if (text == "") return
		lines++
		if (text ~ opening) { bad++; print FILENAME ":" FNR ": " text }
	}
	# comment LINE: the text of the comment in it, or nothing.
	function comment(line) {
		if (kind == "c" && match(line, /(^|[ \t;{}),])(\/\/[\/!]?|\/\*\*?)([ \t]+|$)/) ||
		    kind == "c" && match(line, /^[ \t]*\*([ \t]+|$)/) ||
		    kind == "#" && match(line, /(^|[ \t])#+[ \t]+/))
			line = substr(line, RSTART + RLENGTH)
		else
			return ""
		sub(/[ \t]*\*\/.*/, "", line)
		return line
	}
	FNR == 1 { kind = kind_of(FILENAME); state = FILENAME ~ /\.patch$/ ? "header" : "file"
		if (kind == "" && /^#!.*sh$/) kind = "#" }
	state == "header" { if ($0 == "") state = "message"; next }
	state == "message" {
		if ($0 == "---") { state = "diff"; kind = "" }
		else count($0)
		next
	}
	state == "diff" {
		if (/^\+\+\+ /) kind = kind_of($2)
		else if (/^\+/) count(comment(substr($0, 2)))
		next
	}
	{ count(comment($0)) }
	END {
		printf "%d of %d comment lines open with a question word\n", bad, lines
		exit bad * 100 > lines
	}'
