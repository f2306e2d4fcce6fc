#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/qemu.sh: the rows of qemu-snapshot.py.

set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/clients/patiently-guest.sh
. "$HERE/patiently-guest.sh"
cd "$(mktemp -d)"
GROUP=/sys/fs/cgroup/vm
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$GROUP"
echo 64M >"$GROUP/memory.high"
head -c 32M /dev/urandom >data
head -c 32M /dev/zero >zeroes
options=()
[ ! -e "$FIRMWARE" ] || options=(-L "$FIRMWARE/usr/share/seabios" -L "$FIRMWARE/usr/share/qemu")
mkfifo monitor
(
	echo "$BASHPID" >"$GROUP/cgroup.procs"
	exec qemu-system-x86_64 "${options[@]}" -accel tcg -m 128M -nodefaults -display none -vga none \
		-object memory-backend-memfd,id=ram,size=128M,share=on -machine pc,memory-backend=ram \
		-device loader,file=data,addr=0x1000000,force-raw=on \
		-device loader,file=zeroes,addr=0x4000000,force-raw=on \
		-debugcon file:firmware -global isa-debugcon.iobase=0x402 -monitor stdio <monitor >answers
) &
qemu=$!
exec 3>monitor
patiently test -s firmware
rm zeroes
echo stop >&3
echo "info status" >&3
patiently grep -q paused answers
memfd=$(find "/proc/$qemu/fd" -lname '/memfd:*' | head -n 1)
[ "$(stat -Lc %s "$memfd")" -eq $((128 << 20)) ]
# As much as it gives: the virtual machine is stopped, and nobody else is in the group.
swapped() {
	echo 112M >"$GROUP/memory.reclaim" 2>/dev/null || :
	awk '/^shmem / { exit $2 > 8388608 }' "$GROUP/memory.stat"
}
patiently swapped
# All lists first: copying swaps in.
programs=(save_shmem_scan save_pagemap_scan save_lseek save_mincore)
for program in "${programs[@]}"; do "$EXAMPLES/$program" "$memfd" >"$program"; done
echo "pmemsave 0 $((128 << 20)) full" >&3
full() { [ "$(stat -c %s full)" -eq $((128 << 20)) ]; }
patiently full
# An answer to this one means that the last one is done.
echo "info version" >&3
answered() { [ "$(grep -c '^[0-9]*[.][0-9]*[.][0-9]' answers)" -gt 0 ]; }
patiently answered
python3 "$HERE/qemu-snapshot.py" "$memfd" data full "${programs[@]}"
echo quit >&3
wait "$qemu" || :
