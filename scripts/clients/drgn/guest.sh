#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/drgn.sh: makes the pages, reads the views, waits until
# the host has read the kernel's memory, reads the views again.

set -euo pipefail
DIR=$1
PYTHON=$2
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 1 >/sys/kernel/mm/ksm/run
coproc SUBJECT { "$DIR/subject"; }
pids=()
for _ in 1 2 3; do
	read -r pid <&"${SUBJECT[0]}"
	pids+=("$pid")
done
merged() { [ "$(cat /sys/kernel/mm/ksm/pages_shared)" -gt 0 ]; }
for _ in $(seq 300); do ! merged || break; sleep 0.1; done
echo 0 >/sys/kernel/mm/ksm/run
# Everything that has an address space and does not run meanwhile.
for process in /proc/[0-9]*; do
	pid=${process#/proc/}
	case " ${pids[*]} $$ $BASHPID " in *" $pid "*) continue ;; esac
	[ -z "$(cat "$process/maps" 2>/dev/null)" ] || pids+=("$pid")
done
"$PYTHON" "$(dirname "$0")/views.py" "$DIR/before" 60 "${pids[@]}"
sync
echo "kernel $(uname -r) subjects ${pids[0]} ${pids[1]} ${pids[2]} all ${#pids[@]}"
# A directory is read anew each time; the name of a file that was absent may not be.
exec {never}<> <(:)
until compgen -G "$DIR/judge[d]" >/dev/null; do read -rt 0.5 -u "$never" || :; done
"$PYTHON" "$(dirname "$0")/views.py" "$DIR/after" 60 "${pids[@]}"
