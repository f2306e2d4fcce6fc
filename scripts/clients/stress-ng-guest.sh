#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/stress-ng.sh: `stress-ng-guest.sh SECONDS`, a row of a table for each
# class. Fails if an answer is wrong, a rule is broken, or stress-ng fails.

set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/clients/patiently-guest.sh
. "$HERE/patiently-guest.sh"
cd "$(mktemp -d)" || exit 1
# Swap is used because the stressors are in a cgroup with less memory than they want.
GROUP=/sys/fs/cgroup/stress
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p "$GROUP"
echo 80M >"$GROUP/memory.high"
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 1 >/sys/kernel/mm/ksm/run
echo 1 >/proc/sys/vm/pagemap_shmem_swap

CLASSES=(
	"private --vm 1 --vm-bytes 64M --mremap 1 --mremap-bytes 16M"
	"advised --madvise 1 --vm 1 --vm-bytes 48M"
	"shared --shm 1 --shm-bytes 4M --shm-sysv 1 --memfd 1 --memfd-bytes 64M"
	"processes --fork 1 --fork-vm --mmapfork 1 --userfaultfd 1 --userfaultfd-bytes 8M"
	"merged, zswap --vm 2 --vm-bytes 48M --vm-method zero-one --vm-madvise mergeable --pageswap 1"
	"huge, locked --vm 2 --vm-bytes 64M --vm-madvise hugepage --mlock 1"
)
ROLES=(readers check swap)

failed=0
for class in "${CLASSES[@]}"; do
	name=${class%% --*} options=${class#"${class%% --*}"}
	rm -f -- stop *.ready
	[[ $name == *zswap* ]] && zswap=Y || zswap=N
	echo "$zswap" >/sys/module/zswap/parameters/enabled
	watchers=()
	for role in "${ROLES[@]}"; do
		"$PYTHON" "$HERE/stress-ng-watch.py" "$role" >"$role.out" 2>"$role.wrong" &
		watchers+=($!)
		patiently test -e "$role.ready" || { cat "$role.wrong" >&2; exit 1; }
	done
	# shellcheck disable=SC2086 # options
	(echo "$BASHPID" >"$GROUP/cgroup.procs"; exec "$STRESS/usr/bin/stress-ng" $options --timeout "$1" \
		--metrics-brief --oomable --temp-path "$PWD") >log 2>&1
	status=$?
	touch stop
	for watcher in "${watchers[@]}"; do wait "$watcher" || failed=1; done
	cat -- *.wrong >&2
	# A stressor that this machine cannot run leaves no line.
	operations=$(awk '/metrc/ && $5 ~ /^[0-9]+$/ { printf "%s%s %s", comma, $4, $5; comma = ", " }' log)
	read -r rounds bytes errors <readers.out
	read -r checks <check.out
	read -r sheets slots unexplained change <swap.out
	echo "$name | $operations | $rounds | $((bytes >> 10)) | ${errors:-none} | $checks | $sheets | $slots | $unexplained | $change"
	# 3: not implemented by this machine, of one of the stressors
	if [ -z "$operations" ] || [ "$rounds" -eq 0 ] || [ "$checks" -eq 0 ] || [ "$sheets" -eq 0 ] ||
		{ [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; }; then
		failed=1
		{ echo "$name: stress-ng returned $status"; tail -n 20 log; } >&2
	fi
done
exit $failed
