# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# drgn reads the memory of a guest, from outside it, and judges what the module told there. The
# kernel has no debug information, /proc/kcore or /dev/mem: types come from a small object built
# with the kernel's headers (drgn/layout/), addresses from System.map.
# Sourced by scripts/clients.sh, with DIR.

DRGN_VERSION=0.3.0
HERE=$SCRIPTS/clients/drgn
RAM=$DIR/ram

drgn_layout() {
	local args
	mapfile -t args < <(kernel_make_args)
	make -C "$("$QEMU_DIR/build.sh" --kdir patched)" "${args[@]}" M="$HERE/layout" MO="$DIR/layout" layout.o
}

# The guest, until it has read the views; then the judge; then the guest's second reading.
drgn_guest() {
	local guest
	rm -f "$DIR"/{judged,before,after,guest}
	"$QEMU_DIR/run.sh" --no-build --mem 1G --ram "$RAM" -- "$HERE/guest.sh" "$DIR" "$PYTHON" >"$DIR/guest" &
	guest=$!
	until grep -q '^kernel ' "$DIR/guest"; do
		kill -0 "$guest" 2>/dev/null || { wait "$guest"; return 1; }
		nap 0.5
	done
	"$VENV/bin/python" "$HERE/judge.py" measure "$RAM" "$BUILD/patched/System.map" "$DIR/layout/layout.o" \
		"$(awk '/^kernel/ { print $2 }' "$DIR/guest")" "$DIR/measured" || { kill "$guest"; return 1; }
	touch "$DIR/judged"
	wait "$guest"
}

VENV=$(client_python drgn "$DRGN_VERSION")
"$QEMU_DIR/build.sh" patched
work "build the layout of the kernel's types" "$BUILD/log/layout.log" drgn_layout
"$(llvm_tool clang)" -O2 -Wall -Wextra -o "$DIR/subject" "$SCRIPTS/clients/subject.c"
status=0
drgn_guest || status=$?
rm -f "$RAM"
[ "$status" -eq 0 ] || exit "$status"
"$VENV/bin/python" "$HERE/judge.py" compare "$DIR/measured" "$DIR/before" "$DIR/after" >"$DIR/rows" || status=1
cat <<-END
	drgn $DRGN_VERSION (PyPI), Linux $(awk '/^kernel/ { print $2 }' "$DIR/guest"), $(awk 'NR == 1 { print $2 }' "$DIR/rows") processes: three with anonymous, huge, \`memfd\`, System V,
	private and KSM pages, partly in swap, shared by \`fork()\`, and all others of the guest. From outside, drgn reads the guest's memory: page
	tables, \`struct page\`, XArrays and swap tables, by code of its own (\`scripts/clients/drgn/pages.py\`).

	| view | entries equal | different | explained | changed while it was read |
	| --- | --- | --- | --- | --- |
	$(sed '1d; s/^ //; s/ $//' "$DIR/rows")

	Explained: where a PMD maps a huge page, the kernel's bit 56 (mmap-exclusive) of all its pages is that of the first page,
	in \`/proc/PID/pagemap\` too and without the patches, though others map single pages of it (\`pagemap_pmd_range_thp()\` in
	\`fs/proc/task_mmu.c\` counts \`page\`, and not \`page + idx\`). Of pages of libraries, the process that
	reads the views is a mapping more.
END
exit $status
