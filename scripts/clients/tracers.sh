# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# perf and trace-cmd of Debian record the tracepoint while a program forks and writes, beside `xpagemap trace`:
# the three have to count the same; and the scripts of examples/tracing/ run.
# Sourced by scripts/clients.sh, with DIR.

TRACERS=$(client_packages tracers linux-perf trace-cmd bpftrace)
"$SCRIPTS/tools.sh"
"$(llvm_tool clang)" -O2 -Wall -Wextra -o "$DIR/sharer" "$SCRIPTS/clients/sharer.c"
"$QEMU_DIR/run.sh" --kernel patched -- env "TRACERS=$TRACERS" "LD_LIBRARY_PATH=$(client_libraries "$TRACERS")" \
	"XPAGEMAP=$BUILD/tools/release/xpagemap" "SHARER=$DIR/sharer" "EXAMPLES=$ROOT/examples/tracing" \
	"$SCRIPTS/clients/tracers-guest.sh" >"$DIR/report"
part() { awk -v n="$1" '/^---$/ { part++; next } part + 0 == n' "$DIR/report"; }
cat <<-END
	perf $(client_version tracers linux-perf), trace-cmd $(client_version tracers trace-cmd), bpftrace $(client_version tracers bpftrace) (Debian). A program reads and writes 64 pages, and forks; the parent
	writes 24 of them, the child 16, and after its end the parent all. Events \`anon_exclusive:page_anon_exclusive\` at these addresses:

	| operation | function | perf | trace-cmd | \`xpagemap trace\` |
	| --- | --- | --- | --- | --- |
	$(part 0 | sed 's/^/| /; s/$/ |/')

	\`examples/tracing/copies.sh\` (trace-cmd; whole program), \`unshares.sh\` (perf; first lines), and \`unshares.bt\` (bpftrace: the guest's kernel
	has no \`CONFIG_BPF_SYSCALL\`, so that this is what it says here):

	\`\`\`
	$(part 1)

	$(part 2)

	$(part 3)
	\`\`\`
END
# 64 + 24 + 16 new pages, 64 shared, 40 taken in place: by all three.
part 0 | awk -F ' [|] ' '$3 != $4 || $4 != $5 { bad = 1 } { sum += $3 }
	$1 == "clear" && $3 == 64 { clear = 1 } END { exit bad || sum != 64 + 104 + 40 || !clear }'
