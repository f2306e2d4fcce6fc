#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/page-types.sh: `page-types-guest.sh DIR PYTHON`, DIR with the programs.

set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
echo 1 >/proc/sys/vm/overcommit_memory
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 1 >/sys/kernel/mm/ksm/run
coproc SUBJECT { "$1/subject"; }
for _ in 1 2 3; do
	read -r pid <&"${SUBJECT[0]}"
	pids+=("$pid")
done
# Two full scans after the pages are there: KSM merges what it has seen twice.
scans() { cat /sys/kernel/mm/ksm/full_scans; }
target=$(($(scans) + 3))
until [ "$(scans)" -ge "$target" ]; do sleep 0.1; done
echo 0 >/sys/kernel/mm/ksm/run
# One process without the soft-dirty bit.
echo 4 >"/proc/${pids[2]}/clear_refs"
"$2" "$HERE/page-types-judge.py" "$1/page-types" "${pids[@]}"
