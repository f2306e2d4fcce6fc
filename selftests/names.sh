# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Names of programs and tests, from the sources. Sourced in selftests/.

all_programs() { make -s --no-print-directory list; }

# A line for each program that needs a file which not every kernel has, by its comment
# `/* needs: PATH */`: PROGRAM PATH.
needed_files() {
	awk '/^\/\* needs: \/[^ ]* \*\/$/ { name = FILENAME; gsub(/^.*\/|\.c$/, "", name); print name, $3 }' ./*/*.c
}

# A line for each test: PROGRAM FIXTURE.VARIANT.TEST FIXTURE.TEST STOCK. Without variants,
# both names are FIXTURE.TEST, as the harness has it. STOCK is the result on a kernel
# without the patches, from the comment right above the test, or "-":
#
#   /* stock[VARIANT, ...]: nothing|fails|passes: REASON */
#
# nothing: all pages that are due are shown as nothing. fails: a defect that the patches mend.
# passes: a control. The list of variants may be missing (all of them), and the reason.
# Lines that begin with "error: " say what is malformed; the status is 1 then.
test_table() {
	local sources
	mapfile -t sources < <(make -s --no-print-directory sources)
	awk '
		function error(at, text) { print "error: " at ": " text; failed = 1 }
		function argument(line, n,    part) {
			split(line, part, /[(),]+[ \t]*/)
			return part[n + 1]
		}
		function row(full, short, stock) {
			if (full in program_of)
				error(full, "in " program_of[full] " and in " program)
			program_of[full] = program
			print program, full, short, stock
		}
		function flush_file(    i, j, n, count, f, list, named, stock) {
			for (i = 1; i <= tests; i++) {
				f = fixture[i]
				n = split(named_variants[i], list, /, */)
				split("", named)
				for (j = 1; j <= n; j++) {
					named[list[j]] = 1
					if (index(variants[f], " " list[j] " ") == 0)
						error(where[i], f " has no variant " list[j])
				}
				stock = stock_of[i] == "" ? "-" : stock_of[i]
				if (variants[f] == "")
					row(f "." test[i], f "." test[i], stock)
				count = split(variants[f], list, " ")
				for (j = 1; j <= count; j++)
					row(f "." list[j] "." test[i], f "." test[i],
					    n == 0 || list[j] in named ? stock : "-")
			}
			if (pending != "") error(pending, "no test follows")
			tests = 0
			pending = ""
			split("", variants)
		}
		FNR == 1 {
			flush_file()
			program = FILENAME
			gsub(/^.*\/|\.c$/, "", program)
		}
		/^FIXTURE_VARIANT_ADD\(/ {
			name = argument($0, 1)
			variants[name] = variants[name] (variants[name] == "" ? " " : "") argument($0, 2) " "
		}
		/^TEST(_F)?(_SIGNAL|_TIMEOUT)?\(/ {
			tests++
			global = $0 !~ /^TEST_F/
			fixture[tests] = global ? "global" : argument($0, 1)
			test[tests] = argument($0, global ? 1 : 2)
			where[tests] = pending
			stock_of[tests] = pending == "" ? "" : stock
			named_variants[tests] = pending == "" ? "" : names
			pending = ""
			next
		}
		pending != "" { error(pending, "no test follows"); pending = "" }
		/^[ \t]*\/\* stock/ {
			if ($0 !~ /^\/\* stock(\[[a-z0-9_]+(, [a-z0-9_]+)*\])?: (nothing|fails|passes)(: .*)? \*\/$/) {
				error(FILENAME ":" FNR, "not /* stock[VARIANT, ...]: nothing|fails|passes: REASON */")
				next
			}
			pending = FILENAME ":" FNR
			names = $0 ~ /^\/\* stock\[/ ? $0 : ""
			gsub(/^[^[]*\[|\].*$/, "", names)
			stock = $0
			sub(/^[^:]*: /, "", stock)
			sub(/[: ].*$/, "", stock)
		}
		END { flush_file(); exit failed }
	' "${sources[@]}"
}

# nearest NAME: the three names on standard input that are most like it, on one line.
nearest() {
	awk -v name="$1" '
		function least(a, b) { return a < b ? a : b }
		function distance(a, b,    i, j, n, m, previous, current) {
			n = length(a)
			m = length(b)
			for (j = 0; j <= m; j++) previous[j] = j
			for (i = 1; i <= n; i++) {
				current[0] = i
				for (j = 1; j <= m; j++)
					current[j] = least(least(previous[j], current[j - 1]) + 1,
						previous[j - 1] + (substr(a, i, 1) != substr(b, j, 1)))
				for (j = 0; j <= m; j++) previous[j] = current[j]
			}
			return previous[m]
		}
		# A name with all of NAME in it is nearer than any other.
		{ printf "%d %s\n", index($0, name) ? length($0) - length(name) : 1000 + distance(name, $0), $0 }
	' | sort -n | head -n 3 | cut -d ' ' -f 2 | paste -s -d ' '
}
