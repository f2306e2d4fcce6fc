# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# CRIU dumps and restores processes with shared memory, half of it in swap, on stock and on patched, with
# vm.pagemap_shmem_swap off and on; the processes then compare each byte. Sourced by scripts/clients.sh, with DIR.

# Debian 12 has 3.17, which knows less of today's kernels; with its own C library, this one runs anywhere.
SUITE=trixie
CRIU=$(client_suite criu "$SUITE" criu)
# shellcheck source=scripts/clients/criu/build.sh
. "$SCRIPTS/clients/criu/build.sh"
PATCHED=$(criu_patched "$SUITE")
KINDS=(memfd anonymous sysv tmpfs tmpfs-unlinked memfd-private memfd-huge)

make -C "$ROOT/examples" OUTPUT="$BUILD/examples" CC="$(llvm_tool clang)" >&2
"$(llvm_tool clang)" -O2 -Wall -Wextra -static -o "$DIR/subject" "$SCRIPTS/clients/criu/subject.c"
"$(llvm_tool clang)" -O2 -Wall -Wextra -shared -fPIC -o "$DIR/no-tcp.so" "$SCRIPTS/clients/criu/no-tcp.c"

# run_criu KERNEL NAME COMMAND: a CRIU on a kernel; with --icount, so that its CPU time is its instructions. SETTINGS are
# values of the sysctl where there is one.
run_criu() {
	"$QEMU_DIR/run.sh" --kernel "$1" --icount --timeout 3600 -- env "CRIU=$3" "EXAMPLES=$BUILD/examples" "SUBJECT=$DIR/subject" \
		"SETTINGS=${SETTINGS:-off on}" \
		"PYTHON=$PYTHON" "$SCRIPTS/clients/criu-guest.sh" "${KINDS[@]}" >"$DIR/$2"
}

status=0
read -ra loader <<<"$(client_loader "$CRIU")"
for kernel in stock patched; do
	run_criu "$kernel" "$kernel" "${loader[0]} --preload $DIR/no-tcp.so ${loader[*]:1} $CRIU/usr/sbin/criu" || status=1
	SETTINGS=off run_criu "$kernel" "$kernel, with the patch" "env LD_PRELOAD=$DIR/no-tcp.so ${PATCHED#env }" || status=1
done
table() { "$PYTHON" "$SCRIPTS/clients/criu/table.py" "$1" "$DIR/"{stock,patched}{,", with the patch"}; }
cat <<-END
	CRIU $(client_version criu criu) (Debian), unmodified, with its own C library. A process and its child share a mapping of 16 MiB: of its eight chunks two
	are written, two written with zeroes, two only read and two left alone; the first of each were then swapped out. \`criu dump\`, the end of both
	processes, \`criu restore\`; then both compare each byte of the mapping, and the child has to see what the parent writes. In the swap before and after
	by \`smaps\`; read from the device by \`pswpin\` of \`/proc/vmstat\`, the process's own memory included; written by CRIU's \`stats-dump\`.
	\`SHMEM_SCAN\` and \`lseek()\`: what the programs of \`examples/\` would save, asked before the dump.
	All: stock, patched, and patched with the sysctl on, by the unmodified CRIU.

	$(table pages)

	tmpfs: the file stays where it is, and CRIU saves its name and looks for a build ID in its first page; unlinked, its content is in an image of
	its own ("ghost file"), which the counter of pages leaves out. With the patch: that of \`examples/criu/\`, by which CRIU asks \`SHMEM_SCAN\`. On
	stock it falls back to \`lseek()\`, and has to have the same figures; ghost files it leaves alone. CPU time of \`criu dump\`, as a ratio:

	$(table times)

	CRIU asks \`lseek()\` for what a shared file has, and maps and copies all of that: the dump swaps in every page, those that are all zero too, and
	the images and the restored memory have the pages of zeroes as well. It does not read \`/proc/PID/pagemap\` for shared mappings, and asks
	\`PAGEMAP_SCAN\` for private ones, so the sysctl changes nothing for it: neither pages nor bytes. \`SHMEM_SCAN\` would leave out the zeroes in swap,
	and pages that were only read, unless somebody may have written them through a mapping.

	The guest's kernel has neither TCP nor network namespaces: CRIU runs with \`--unprivileged\`, and a preloaded library answers the TCP connection
	that it makes to itself before anything else (\`scripts/clients/criu/no-tcp.c\`).
	END
table judge || status=1
exit $status
