# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A QEMU in the guest, with a memfd as its guest's memory and most of it in swap: a snapshot of only
# what the memfd has (SHMEM_SCAN), compared with a full one, with lseek()'s and with mincore()'s.
# Sourced by scripts/clients.sh, with DIR.

make -C "$ROOT/examples" OUTPUT="$BUILD/examples" CC="$(llvm_tool clang)" >&2
"$QEMU_DIR/run.sh" --kernel patched --mem 1G -- env "EXAMPLES=$BUILD/examples" "FIRMWARE=$CACHE/qemu" \
	"QEMU_MODULE_DIR=${QEMU_MODULE_DIR:-}" "PATH=$PATH" "$SCRIPTS/clients/qemu-guest.sh" >"$DIR/rows"
cat <<-END
	$(qemu-system-x86_64 --version | sed -n '1s/ emulator//p'): a stopped virtual machine of 128 MiB (\`memory-backend-memfd\`) with 32 MiB of data and as many of zeroes
	loaded, under a memory limit of 64 MiB, then swapped out: what a snapshot of QEMU's memfd has to save. Programs of \`examples/\`
	tell the runs, without QEMU's help; a snapshot of these runs is compared with a full copy byte by byte. The full copy is what QEMU itself
	writes (\`pmemsave\`). Of its $(awk -F ' [|] ' '/^pages not/ { print $3 }' "$DIR/rows") pages, $(awk -F ' [|] ' '/^pages not/ { print $2 }' "$DIR/rows") are not all zero.

	| runs by | pages saved | pages that differ from the full copy | of these, of the data |
	| --- | --- | --- | --- |
	$(sed -n '/^save_/{ s/^/| /; s/$/ |/; p }' "$DIR/rows")

	What \`mincore()\` calls absent is in swap, and lost to the snapshot tools that ask it. \`SHMEM_SCAN\` saves less than \`lseek()\` by the
	pages of zeroes that were swapped out.
END
# SHMEM_SCAN, PAGEMAP_SCAN and lseek lose nothing; that mincore loses pages shows that there was something to lose.
awk -F ' *[|] *' '/^save_(shmem_scan|lseek|pagemap_scan)/ { rows++; bad += $3 != 0 } /^save_shmem_scan/ { scan = $2 }
	/^save_lseek/ { lseek = $2 } /^save_mincore/ { lost = $4 } /^pages not/ { content = $2 }
	END { exit bad || rows != 3 || lost < 4096 || scan < content || scan > lseek || content < 8192 }' "$DIR/rows"
