#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# test-deb-kernel.sh STEP: run in an empty Debian by scripts/check-deb.sh, with the packages in /root.
# install and remove run as root in a chroot; guest runs in between, in a guest that boots the installed
# kernel with this root: there it is init.

# shellcheck source=scripts/test-deb-checks.sh
. "$(dirname "$0")/test-deb-checks.sh"

IMAGE=$(basename /root/linux-image-*.deb)
RELEASE=${IMAGE%%_*}
RELEASE=${RELEASE#linux-image-}
MODULES=xpagemap-modules-$RELEASE
KO=/lib/modules/$RELEASE/updates/src/xpagemap.ko
PAGES=64
FILE=/run/test/pages

# Steps install and remove

refuses_other_versions() {
	is "$(dpkg-deb -f /root/"$MODULES"_*.deb Depends)" \
		"linux-image-$RELEASE (= $(dpkg-deb -f "/root/$IMAGE" Version)), kmod"
}
vermagic_is_of() { modinfo -k "$1" -F vermagic xpagemap | grep -q "^$1 "; }
depmod_lists() { grep -qx 'updates/src/xpagemap.ko:' "/lib/modules/$RELEASE/modules.dep"; }
nothing_is_left() { is "$(find /usr /etc /boot /var/lib/dpkg/info -name '*xpagemap*' -o -name "*$RELEASE*")" ""; }

install() {
	check "apt refuses the module without its kernel" fails apt-get install -y /root/"$MODULES"_*.deb
	check "apt installs kernel, module and what they need" apt-get install -y --no-install-recommends \
		"/root/$IMAGE" /root/"$MODULES"_*.deb /root/xpagemap_*.deb
	check "the module is for this version of the kernel alone" refuses_other_versions
	for file in vmlinuz System.map config; do
		check "$file" test -s "/boot/$file-$RELEASE"
	done
	check "the kernel has the patches' option" grep -qx CONFIG_DEBUG_ANON_EXCLUSIVE=y "/boot/config-$RELEASE"
	check "depmod lists the module" depmod_lists
	check "modprobe finds it" is "$(modprobe -S "$RELEASE" -D xpagemap 2>&1 | tr -d '\n')" "insmod $KO "
	check "modinfo tells this kernel's release" vermagic_is_of "$RELEASE"
	check "files of the module are as they were packed" is "$(dpkg -V "$MODULES")" ""
}

remove() {
	check "dpkg keeps the kernel while the module needs it" fails dpkg --purge "linux-image-$RELEASE"
	check "dpkg removes the module" dpkg --purge "$MODULES"
	check "depmod forgot it" fails depmod_lists
	check "dpkg removes the kernel" dpkg --purge "linux-image-$RELEASE"
	check "dpkg removes the command line" dpkg --purge xpagemap
	check "nothing is left of them" nothing_is_left
	echo '# kernel done'
}

# Step guest

# Page I of the file is the number I with 4094 leading zeroes or so, and a newline. The odd pages come
# first, so that slots are seldom in the order of pages.
page() { printf '%04095d\n' "$1"; }
write_pages() {
	: >"$FILE"
	for first in 1 0; do
		for i in $(seq $first 2 $((PAGES - 1))); do
			page "$i" | dd of="$FILE" bs=4096 seek="$i" conv=notrunc status=none
		done
	done
}

# Until the command succeeds, half a minute at most.
wait_for() {
	for _ in $(seq 60); do
		! "$@" || return 0
		sleep 0.5
	done
	return 1
}

# A process that maps the file and touches none of its pages.
map_pages() {
	perl -e 'open(F, "+<", shift) or die; syscall(9, 0, shift() * 4096, 3, 1, fileno(F), 0) > 0 or die; sleep' \
		"$FILE" "$PAGES" &
	pid=$!
	wait_for grep -q "$FILE\$" "/proc/$pid/maps"
	range=$(sed -n "s,^\([0-9a-f-]*\) .*$FILE\$,\1,p" "/proc/$pid/maps")
}

# smaps of the kernel, which knows nothing of the module.
swapped_kib() { sed -n "\,$FILE\$,,/^VmFlags/s/^Swap: *\([0-9]*\) kB/\1/p" "/proc/$pid/smaps"; }
swap_out() {
	echo 1 >/proc/sys/vm/drop_caches
	echo 1M 2>/dev/null >/sys/fs/cgroup/test/memory.reclaim
	[ "$(swapped_kib)" = $((4 * PAGES)) ]
}

summary_counts() {
	is "$(xpagemap summary "$pid" -o swap-shared,name | sed -n "s,^ *\([0-9]*\) .*$FILE\$,\1,p")" "$PAGES"
}

# The slots of the pages, in their order, if each has one. Their bytes may still be on the way to the disk.
slots() { xpagemap show "$pid" "$range" --pages -o slot,state | sed -n 's/^ *0:\([0-9][0-9]*\) *swap$/\1/p'; }
bytes_are_on_the_disk() {
	i=0
	for slot in $(slots); do
		page "$i" >/run/test/wanted
		dd if=/dev/vda bs=4096 skip="$slot" count=1 iflag=direct status=none | cmp - /run/test/wanted || return 1
		i=$((i + 1))
	done
	is "$i" "$PAGES"
}

in_guest() {
	mkdir -p /run/test
	mount -t tmpfs test /run/test
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir /sys/fs/cgroup/test
	mkswap /dev/vda >/dev/null
	swapon /dev/vda
	check "the installed kernel runs" is "$(uname -r)" "$RELEASE"
	check "the module is not loaded" fails grep -q '^xpagemap ' /proc/modules
	check "modprobe loads it" modprobe xpagemap
	check "its files are there" test -e /sys/kernel/debug/xpagemap/stats
	(echo 0 >/sys/fs/cgroup/test/cgroup.procs && write_pages)
	map_pages
	check "the kernel swaps shared memory out" wait_for swap_out
	check "xpagemap summary counts as smaps does" summary_counts
	check "every page's bytes are in the slot that xpagemap show tells" wait_for bytes_are_on_the_disk
	kill "$pid"
	check "rmmod" rmmod xpagemap
	check "its files are gone" fails ls /sys/kernel/debug/xpagemap
	echo '# guest done'
}

guest() {
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	[ -c /dev/ttyS1 ] || mount -t devtmpfs dev /dev
	mount -t tmpfs run /run
	in_guest >/dev/ttyS1 2>&1
	echo b >/proc/sysrq-trigger
	sleep 60
}

"${1:-guest}"
