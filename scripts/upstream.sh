#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/upstream.sh: the kernel's own selftests of memory management, the same
# programs on the stock and on the patched kernel, compared test by test. A test
# that differs has failed; one that both skip, or neither passes, is skipped.
# Those that the patches add run on the patched kernel only, and must pass.
# Ends with the one line `N passed, N failed, N skipped`.
#
# TESTS in the environment names the programs to run, all by default.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

PROGRAMS=(cow gup_longterm pagemap_ioctl mkdirty ksm_functional_tests soft-dirty guard-regions
	uffd-unit-tests uffd-wp-mremap madv_populate process_madv merge split_huge_page_test mremap_test)
OURS=(shmem_large_swap pagemap_scan shmem_scan pagemap_shmem anon_exclusive)
WORK=$BUILD/upstream
BIN=$WORK/bin
LIMIT=${XPAGEMAP_PROGRAM_TIMEOUT:-1200}

# Their makefile writes beside the sources and knows where it is in the tree: a
# tree of links, with a copy of just this one directory.
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

# In the guest: each program in a directory of its own, with a line before and
# after, and all it says in between.
in_guest() {
	local name status
	for name in "$@"; do
		echo "@ begin $name"
		status=0
		(cd "$(mktemp -d /tmp/upstream.XXXXXX)" &&
			exec timeout --kill-after=10 "$LIMIT" "$BIN/$name" 2>&1 </dev/null) || status=$?
		echo
		echo "@ end $name $status"
	done
}

# run KERNEL ROUND PROGRAM...: the results, "KERNEL PROGRAM NUMBER VERDICT NAME"
# for each test and number 0 for the end of the program, are added to $WORK/KERNEL.results.
run() {
	local kernel=$1 log=$WORK/$1.$2.log results=$WORK/$1.results status=0 name
	say "round $2 on $kernel"
	shift 2
	"$QEMU_DIR/run.sh" --kernel "$kernel" --timeout 3600 -- \
		"$SCRIPTS/upstream.sh" --guest "$@" </dev/null >"$log" || status=$?
	[ "$status" -eq 0 ] || echo "$kernel (guest) 0 exit-$status" >>"$results"
	for name in "$@"; do
		grep -q "^@ end $name " "$log" || echo "$kernel $name 0 none-on-$kernel" >>"$results"
	done
	awk -v kernel="$kernel" '
		/^@ begin / { program = $3; next }
		/^@ end / { print kernel, program, 0, "exit-" $4; program = ""; next }
		program != "" && match($0, /^(not )?ok [0-9]+/) {
			number = $1 == "ok" ? $2 : $3
			verdict = $1 == "ok" ? "ok" : "not-ok"
			if (/# (SKIP|XFAIL)/) verdict = "skip"
			sub(/^(not )?ok [0-9]+ */, ""); sub(/^- /, "")
			print kernel, program, number, verdict, $0
		}' "$log" >>"$results"
}

# The programs of which some test has no verdict in common on both kernels. With
# an argument: a line for each test that is not just passed, and the tally.
compare() {
	awk -v ours=" ${OURS[*]} " -v report="${1:-}" '
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
				if (same == "" || (mine && same ~ /not-ok|exit-[1-9]/) || program[key] == "(guest)") {
					failed++; bad[program[key]]; show("DIFFERS")
				} else if (same ~ / (ok|exit-0)( |$)/) passed++
				else { skipped++; show(same ~ /skip|exit-4/ ? "skipped on both" : "fails on both") }
			}
			if (report != "") printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
			else for (p in bad) if (p != "(guest)") print p
			exit report != "" && (failed || !passed)
		}' "$WORK"/{stock,patched}.results
}

main() {
	local round programs ours again
	[ -z "${TESTS:-}" ] || read -ra PROGRAMS <<<"$TESTS"
	"$SCRIPTS/deps.sh"
	"$SCRIPTS/fetch.sh" >/dev/null
	"$QEMU_DIR/build.sh" patched
	"$QEMU_DIR/build.sh" stock
	build_programs
	: >"$WORK/stock.results"
	: >"$WORK/patched.results"
	programs=("${PROGRAMS[@]}") ours=("${OURS[@]}")
	# What differs may have been an accident, if it is one of time: the same
	# programs again, twice, and a verdict that both came to is the same.
	for round in 1 2 3; do
		# Both at a time: most of the programs need one CPU.
		run stock $round "${programs[@]}" &
		run patched $round "${programs[@]}" "${ours[@]}"
		wait $!
		again=$(compare)
		mapfile -t programs < <(comm -12 <(sort <<<"$again") <(printf '%s\n' "${PROGRAMS[@]}" | sort))
		ours=()
		[ ${#programs[@]} -gt 0 ] || break
		say "differences in ${programs[*]}"
	done
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
