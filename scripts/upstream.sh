#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/upstream.sh: the kernel's own selftests of memory management, the same
# programs on the stock and on the patched kernel, compared test by test. A test
# that differs has failed; one that both skip, or neither passes, is skipped.
# Programs that the patches add run on the patched kernel only, and must pass.
# Ends with the one line `N passed, N failed, N skipped`.
#
# Results on stock are kept in the cache, for that kernel and that program. Programs
# for which the time budget (see scripts/budget.sh) has no time are skipped.
# TESTS in the environment names the programs to run, all by default.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/budget.sh
. "$SCRIPTS/budget.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

PROGRAMS=(cow gup_longterm pagemap_ioctl mkdirty ksm_functional_tests soft-dirty guard-regions
	uffd-unit-tests uffd-wp-mremap madv_populate process_madv merge split_huge_page_test mremap_test)
# Programs that the patches add.
mapfile -t OURS < <(variant_patches patched | xargs -d '\n' sed -nE 's/^\+TEST_GEN_FILES \+= //p')
WORK=$BUILD/upstream
BIN=$WORK/bin
LIMIT=${XPAGEMAP_PROGRAM_TIMEOUT:-1200}

# A tree of links to the kernel's, with a copy of tools/testing/selftests/mm alone: its
# makefile writes beside the sources, and needs the tree around it.
link_tree() {
	local source=$1 target=$WORK/src dir=.
	rm -rf "$target"
	mkdir -p "$target"
	for part in tools testing selftests mm; do
		find "$source/$dir" -mindepth 1 -maxdepth 1 ! -name "$part" ! -name 'build-*' \
			-exec ln -s -t "$target/$dir" {} +
		dir=$dir/$part
		mkdir "$target/$dir"
	done
	cp "$source/$dir"/* "$target/$dir/" 2>/dev/null || :
	[ -e "$target/$dir/Makefile" ] || die "no $dir in $source"
}

build_programs() {
	local source headers=$WORK/headers args
	mapfile -t args < <(kernel_make_args)
	source=$("$QEMU_DIR/build.sh" --source patched)
	mkdir -p "$BIN" "$headers"
	work "install the kernel's headers" "$BUILD/log/upstream-headers.log" \
		make -C "$source" O="$headers" "${args[@]}" headers
	link_tree "$source"
	work "build ${#PROGRAMS[@]} programs of tools/testing/selftests/mm" "$BUILD/log/upstream.log" \
		make -C "$WORK/src/tools/testing/selftests/mm" -j "$(nproc)" LLVM="$LLVM" OUTPUT="$BIN" \
		KHDR_INCLUDES="-isystem $headers/usr/include" "${PROGRAMS[@]/#/$BIN/}" "${OURS[@]/#/$BIN/}"
}

# Runs in the guest: each program in a directory of its own, with a line before and after
# its output: "@ begin NAME", "@ end NAME STATUS SECONDS". "@ left NAME": no time for it.
# $1 is the guest's uptime at the end of the budget.
in_guest() {
	local until=$1 name status start left took uptime
	shift
	for name in "$@"; do
		read -r uptime _ </proc/uptime
		left=$((until - ${uptime%.*}))
		took=$(awk -v name="$name" '$1 == name { print $2 }' "$CI_CACHE/durations-upstream" 2>/dev/null || :)
		if [ $((2 * ${took:-60})) -gt "$left" ]; then
			echo "@ left $name"
			continue
		fi
		echo "@ begin $name"
		start=$SECONDS
		status=0
		(cd "$(mktemp -d /tmp/upstream.XXXXXX)" &&
			exec timeout --kill-after=10 $((left < LIMIT ? left : LIMIT)) "$BIN/$name" 2>&1 </dev/null) || status=$?
		echo
		case $status in
		124 | 137) [ "$left" -ge "$LIMIT" ] || { echo "@ left $name"; continue; } ;;
		esac
		echo "@ end $name $status $((SECONDS - start))"
	done
}

# run KERNEL LABEL PROGRAM...: the results, "KERNEL PROGRAM NUMBER VERDICT NAME" for each
# test and number 0 for the end of the program, go to $WORK/KERNEL.LABEL.results.
run() {
	local kernel=$1 log=$WORK/$1.$2.log results=$WORK/$1.$2.results status=0 name
	say "round $2 on $kernel: ${*:3}"
	shift 2
	"$QEMU_DIR/run.sh" --kernel "$kernel" --timeout "$(within 3600)" -- \
		env "XPAGEMAP_BUILD=$BUILD" "XPAGEMAP_CACHE=$CACHE" "$SCRIPTS/upstream.sh" --guest $(($(remaining) - 30)) "$@" </dev/null >"$log" || status=$?
	: >"$results"
	[ "$status" -eq 0 ] || echo "$kernel (guest) 0 exit-$status" >>"$results"
	for name in "$@"; do
		grep -qE "^@ (end|left) $name( |\$)" "$log" || echo "$kernel $name 0 none-on-$kernel" >>"$results"
	done
	awk -v kernel="$kernel" '
		/^@ begin / { program = $3; output = ""; next }
		/^@ left / { program = ""; next }
		/^@ end / { printf "%s%s %s 0 exit-%s\n", output, kernel, program, $4; program = ""; next }
		program != "" && match($0, /^(not )?ok [0-9]+/) {
			number = $1 == "ok" ? $2 : $3
			verdict = $1 == "ok" ? "ok" : "not-ok"
			if (/# (SKIP|XFAIL)/) verdict = "skip"
			sub(/^(not )?ok [0-9]+ */, ""); sub(/^- /, "")
			output = output kernel " " program " " number " " verdict " " $0 "\n"
		}' "$log" >>"$results"
	sed -n 's/^@ left //p' "$log" >>"$WORK/left"
	sed -nE 's/^@ end ([^ ]+) [0-9]+ ([0-9]+)$/\1 \2/p' "$log" >>"$WORK/durations"
}

# The file with a program's results on stock, named by what they depend on.
stock_results() {
	echo "$CI_CACHE/upstream/$1-$(cat "$BUILD/stock/key" "$BIN/$1" | sha256sum | cut -c 1-32)"
}

# Takes the kept results of these programs; prints the names of programs that have none.
recall_stock() {
	local name
	: >"$WORK/stock.kept.results"
	for name in "$@"; do cat "$(stock_results "$name")" >>"$WORK/stock.kept.results" 2>/dev/null || echo "$name"; done
}

keep_stock() {
	local name
	mkdir -p "$CI_CACHE/upstream"
	for name in "$@"; do
		grep -h "^stock $name " "$WORK"/stock.*.results | sort -u >"$WORK/keep" || continue
		# A program with no end on stock may have been ended by an accident.
		! grep -q ' 0 none-on-stock$' "$WORK/keep" || continue
		grep -q "^stock $name 0 exit-" "$WORK/keep" || continue
		cp "$WORK/keep" "$(stock_results "$name")"
	done
}

# The programs of which some test has no verdict in common on both kernels. With
# an argument: a line for each test that has not passed, and the tally.
compare() {
	sort -u "$WORK/left" -o "$WORK/left"
	awk -v ours=" ${OURS[*]} " -v report="${1:-}" '
		NR == FNR && FILENAME ~ /\/left$/ { left[$1]; skipped++; next }
		$2 in left { next }
		{
			key = $2 " " $3
			if (!(key in name)) { order[++n] = key; program[key] = $2; name[key] = "" }
			seen[key, $1, $4] = 1
			said[key, $1] = said[key, $1] (said[key, $1] == "" ? "" : "/") $4
			text = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ ?/, "", text)
			if (text != "") name[key] = text
			verdicts[$4]
		}
		function show(what) {
			if (report != "") printf "%s: %s %s\n    stock: %s\n    patched: %s\n", what, key, name[key],
				said[key, "stock"] == "" ? "no result" : said[key, "stock"],
				said[key, "patched"] == "" ? "no result" : said[key, "patched"]
		}
		END {
			for (i = 1; i <= n; i++) {
				key = order[i]
				mine = index(ours, " " program[key] " ")
				same = ""
				for (v in verdicts)
					if (seen[key, "patched", v] && (mine || seen[key, "stock", v])) same = same " " v
				if (same == "" || (mine && same ~ /not-ok|exit-[1-9]|none-on/) || program[key] == "(guest)") {
					failed++; bad[program[key]]; show("DIFFERS")
				} else if (same ~ / (ok|exit-0)( |$)/) passed++
				else { skipped++; show(same ~ /skip|exit-4/ ? "skipped on both" : "fails on both") }
			}
			if (report != "") for (p in left) printf "left out, no time in the budget: %s\n", p
			if (report != "") printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
			else for (p in bad) if (p != "(guest)") print p
			exit report != "" && (failed || !(passed + skipped))
		}' "$WORK/left" "$WORK"/{stock,patched}.*.results
}

# The first round: programs with kept results do not run on stock, and if none has to,
# the patched kernel gets two guests. Most programs need one CPU.
first_round() {
	local on_stock half=$(((${#PROGRAMS[@]} + 1) / 2))
	mapfile -t on_stock < <(recall_stock "${PROGRAMS[@]}")
	if [ ${#on_stock[@]} -gt 0 ]; then
		run stock 1 "${on_stock[@]}" &
		run patched 1 "${PROGRAMS[@]}" "${OURS[@]}"
	else
		say "results on stock are kept from an earlier run"
		run patched 1a "${PROGRAMS[@]:0:half}" &
		run patched 1b "${PROGRAMS[@]:half}" "${OURS[@]}"
	fi
	wait $!
}

main() {
	local round programs again
	[ -z "${TESTS:-}" ] || read -ra PROGRAMS <<<"$TESTS"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	"$QEMU_DIR/build.sh" patched
	"$QEMU_DIR/build.sh" stock
	build_programs
	rm -f "$WORK"/*.results
	: >"$WORK/left"
	: >"$WORK/durations"
	first_round
	# A difference may be an accident of timing: its programs run again, twice, and a
	# verdict that both kernels came to is the same.
	for round in 2 3; do
		again=$(compare)
		mapfile -t programs < <(comm -12 <(sort <<<"$again") <(printf '%s\n' "${PROGRAMS[@]}" | sort))
		[ ${#programs[@]} -gt 0 ] || break
		say "differences in ${programs[*]}"
		run stock $round "${programs[@]}" &
		run patched $round "${programs[@]}"
		wait $!
	done
	keep_stock "${PROGRAMS[@]}"
	keep_durations durations-upstream <"$WORK/durations"
	compare report
}

if [ "${1:-}" = --guest ]; then
	shift
	in_guest "$@"
else
	cd "$ROOT"
	main
fi
exit
