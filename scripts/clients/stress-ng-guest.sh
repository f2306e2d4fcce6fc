#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/stress-ng.sh: `stress-ng-guest.sh SECONDS`, a row of a table for each
# class. Fails if an answer is wrong, a rule is broken, or stress-ng fails.

set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)" || exit 1
# shellcheck source=scripts/clients/load/guest.sh
. "$HERE/load/guest.sh"
echo 80M >"$GROUP/memory.high"
echo 1 >/sys/kernel/mm/ksm/run

CLASSES=(
	"private --vm 1 --vm-bytes 64M --mremap 1 --mremap-bytes 16M"
	"advised --madvise 1 --vm 1 --vm-bytes 48M"
	"shared --shm 1 --shm-bytes 4M --shm-sysv 1 --memfd 1 --memfd-bytes 64M"
	"processes --fork 1 --fork-vm --mmapfork 1 --userfaultfd 1 --userfaultfd-bytes 8M"
	"merged, zswap --vm 2 --vm-bytes 48M --vm-method zero-one --vm-madvise mergeable --pageswap 1"
	"huge, locked --vm 2 --vm-bytes 64M --vm-madvise hugepage --mlock 1"
)

# shellcheck disable=SC2317 # `watched` calls it
stress() {
	in_group "$PACKAGES/usr/bin/stress-ng" "$@" --metrics-brief --oomable --temp-path "$PWD" >log 2>&1
}

failed=0
for class in "${CLASSES[@]}"; do
	name=${class%% --*} options=${class#"${class%% --*}"}
	[[ $name == *zswap* ]] && zswap=Y || zswap=N
	echo "$zswap" >/sys/module/zswap/parameters/enabled
	# shellcheck disable=SC2086 # options
	watched stress $options --timeout "$1" || failed=1
	# A stressor that this machine cannot run leaves no line.
	operations=$(awk '/metrc/ && $5 ~ /^[0-9]+$/ { printf "%s%s %s", comma, $4, $5; comma = ", " }' log)
	echo "row $name | $operations | $FINDINGS"
	# 3: not implemented by this machine, of one of the stressors
	if [ -z "$operations" ] || { [ "$LOAD_STATUS" -ne 0 ] && [ "$LOAD_STATUS" -ne 3 ]; }; then
		failed=1
		{ echo "$name: stress-ng returned $LOAD_STATUS"; tail -n 20 log; } >&2
	fi
done
exit $failed
