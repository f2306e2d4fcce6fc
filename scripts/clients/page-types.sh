# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# page-types of the kernel's tools/mm reads /proc/PID/pagemap, kpageflags and kpagecount of the processes
# of subject.c, with vm.pagemap_shmem_swap off and on, and judges PID/pagemap and PID/exclusive.
# Sourced by scripts/clients.sh, with DIR.

SOURCE=$("$QEMU_DIR/build.sh" --source stock)
# Static: it maps no page of a library that the processes have.
"$(llvm_tool clang)" -O2 -static -I"$SOURCE/tools/include" -I"$SOURCE/tools/lib" -I"$SOURCE/tools/lib/api" -o "$DIR/page-types" \
	"$SOURCE/tools/mm/page-types.c" "$SOURCE"/tools/lib/{api/fs/fs.c,api/debug.c,str_error_r.c}
"$(llvm_tool clang)" -O2 -Wall -Wextra -o "$DIR/subject" "$SCRIPTS/clients/subject.c"
status=0
"$QEMU_DIR/run.sh" --kernel patched --mem 1G -- "$SCRIPTS/clients/page-types-guest.sh" "$DIR" "$PYTHON" >"$DIR/rows" || status=1
cat <<-END
	page-types of Linux $(make -s -C "$SOURCE" kernelversion) (\`tools/mm\`), from \`/proc/PID/pagemap\`, \`kpageflags\` and \`kpagecount\`, and the module's \`PID/pagemap\` and
	\`PID/exclusive\`; the three processes of the section drgn, \`vm.pagemap_shmem_swap\` off and on, $(sed -n 's/^changed //p' "$DIR/rows") entries changed meanwhile:

	| fact | pages listed by both | of these so, or not 0 | different |
	| --- | --- | --- | --- |
	$(sed '/^---/,$d; s/^/| /; s/$/ |/' "$DIR/rows")

	| sysctl | shared pages in swap that page-types does not list | other pages it does not list | pages that only it lists |
	| --- | --- | --- | --- |
	$(sed '1,/^---/d; /^changed/d; s/^/| /; s/$/ |/' "$DIR/rows")
END
exit $status
