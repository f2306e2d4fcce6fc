#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu/accel.sh IMAGE: prints kvm or tcg. /dev/kvm can exist although no guest runs with
# it: the answer is kvm only if this kernel boots with it, up to its missing root file
# system. It is kept for this host, QEMU and kernel.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

IMAGE=${1:?which kernel image}

boots_with_kvm() {
	local log
	log=$(mktemp)
	timeout -k 1 20 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35,accel=kvm -cpu host -m 512M -smp 2 -serial "file:$log" -kernel "$IMAGE" \
		-append "console=ttyS0,115200 ignore_loglevel panic=-1" </dev/null >/dev/null 2>&1 || :
	grep -aq 'Unable to mount root fs' "$log" && status=0 || status=1
	rm -f "$log"
	return "$status"
}

case ${XPAGEMAP_ACCEL:-} in
kvm | tcg) echo "$XPAGEMAP_ACCEL"; exit ;;
'') ;;
*) die "XPAGEMAP_ACCEL=$XPAGEMAP_ACCEL: kvm or tcg" ;;
esac
if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
	echo tcg
	exit
fi
answer=$CACHE/accel-$({ uname -a; cat /proc/sys/kernel/random/boot_id; qemu-system-x86_64 --version; } | sha256sum | cut -c 1-16)
if [ ! -e "$answer" ]; then
	lock accel
	if [ ! -e "$answer" ]; then
		say "does a guest boot with KVM here? ..."
		if boots_with_kvm; then echo kvm; else echo tcg; fi >"$answer.new"
		mv "$answer.new" "$answer"
		say "accelerator: $(cat "$answer")"
	fi
fi
cat "$answer"
