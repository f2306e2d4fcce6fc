#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# boot-root.sh ROOT IMAGE INIT: boots the kernel IMAGE with the directory ROOT as its root, writable, and
# INIT as its init, until that reboots. What the guest writes to /dev/ttyS1 goes to standard output. Its
# swap disk is /dev/vda. Fails if the kernel's log holds a report.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

GUEST_ROOT=$1 IMAGE=$2 INIT=$3
DIR=$(mktemp -d "${TMPDIR:-/tmp}/xpagemap.XXXXXX")
trap 'rm -rf "$DIR"' EXIT
truncate -s 64M "$DIR/swap"
options=(-nodefaults -no-user-config -display none -no-reboot -m 1G -smp 2
	-fsdev "local,id=root,path=$GUEST_ROOT,security_model=none,multidevs=remap"
	-device "virtio-9p-pci,fsdev=root,mount_tag=/dev/root"
	-drive "if=none,id=swap,format=raw,cache=unsafe,file=$DIR/swap" -device "virtio-blk-pci,drive=swap"
	-serial "file:$DIR/klog" -serial "file:$DIR/out" -kernel "$IMAGE")
kernel="root=/dev/root rootfstype=9p rootflags=trans=virtio,version=9p2000.L,msize=524288,cache=loose rw init=$INIT"
kernel+=" console=ttyS0,115200 ignore_loglevel panic=-1 rcupdate.rcu_cpu_stall_timeout=120"
accel=$("$QEMU_DIR/accel.sh" "$IMAGE")
if [ "$accel" = tcg ]; then
	options+=(-cpu "max,la57=off")
	kernel+=" no_timer_check"
else
	options+=(-cpu host)
fi
[ ! -e "$CACHE/qemu" ] || options+=(-L "$CACHE/qemu/usr/share/seabios" -L "$CACHE/qemu/usr/share/qemu")
status=0
timeout -k 5 900 qemu-system-x86_64 -machine "q35,accel=$accel" "${options[@]}" -append "$kernel" </dev/null >&2 || status=$?
tr -d "\r" <"$DIR/out"
"$QEMU_DIR/klog.sh" "$DIR/klog" 0 || status=1
if [ "$status" -ne 0 ] || [ ! -s "$DIR/out" ]; then
	echo "--- the guest's kernel log ends:"
	tail -n 40 "$DIR/klog"
	exit 1
fi
