# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# PostgreSQL with its shared buffers in swap, under pgbench, with the watchers of load/ beside; then the counts of the
# buffers' pages in swap have to be the same, and the database consistent. Sourced by scripts/clients.sh, with DIR.

# shellcheck source=scripts/clients/load/host.sh
. "$SCRIPTS/clients/load/host.sh"
POSTGRES=$(client_packages postgresql postgresql-15)
status=0
run_load postgresql "$POSTGRES" || status=1
# field KERNEL LINE NUMBER: a field of the line of that name, in what the guest wrote.
field() { awk -v line="$2" -v n="$3" '$1 == line { print $n }' "$DIR/$1"; }
# row NAME LINE NUMBER: a field of all kernels, as a row.
row() { printf '| %s |' "$1"; for kernel in "${KERNELS[@]}"; do printf ' %s |' "$(field "$kernel" "$2" "$3")"; done; echo; }
cat <<-END
	PostgreSQL $(client_version postgresql postgresql-15) (Debian), \`shared_buffers\` of 64 MB, a database of scale 4 on a tmpfs, all in 60 MiB of memory and the rest in swap,
	\`vm.pagemap_shmem_swap=1\`: $MINUTES min of pgbench, with the watchers of the section stress-ng beside, and the same held. A fourth watcher read the bytes of
	the buffers' mapping when pgbench began; in each of its rounds \`SHMEM_SCAN\`, \`PAGEMAP_SCAN\` and \`PAGEMAP_READ\`, with the flags for swap and page cache,
	told every page that had data then as present, cached or swapped.

	$(load_table load transactions)

	Then all processes were frozen: the pages of the buffers' mapping in swap, by each interface, and its entries in \`PID/pagemap\` and \`/proc/PID/pagemap\` of
	all processes. The sheet left nothing unexplained. After that PostgreSQL judged its own data.

	| |$(printf ' %s |' "${KERNELS[@]}")
	| --- |$(for _ in "${KERNELS[@]}"; do printf ' --- |'; done)
	$(sed -n 's/^count \(.*\) | .*/\1/p' "$DIR/${KERNELS[0]}" | while read -r by; do
		printf '| pages in swap by %s |' "$by"
		for kernel in "${KERNELS[@]}"; do printf ' %s |' "$(awk -F ' [|] ' -v by="count $by" '$1 == by { print $2 }' "$DIR/$kernel")"; done
		echo
	done)
	$(row "entries compared" entries 2)
	$(row "of these different" entries 3)
	$(row "slots of the sheet" frozen-sheet 2)
	$(row "of these unexplained" frozen-sheet 3)
	$(row "rounds of scans under load" mapping 2)
	$(row "pages with data" mapping 3)
	$(row "buffers' pages in swap under load, at most" mapping 5)
	$(row "transactions in the history" sums 6)
	$(row "sum of their deltas" sums 2)
	$(row "sum of the accounts' balances" sums 3)
	$(row "of the tellers'" sums 4)
	$(row "of the branches'" sums 5)
	$(row "blocks that \`pg_checksums\` read" blocks 2)
	$(row "of these bad" bad 2)

	\`pg_amcheck --heapallindexed\` (each row found in each index) had no complaint.
END
exit $status
