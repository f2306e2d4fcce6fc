#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the guest, as root, from virtme-ng's init: prepares it (host files, swap,
# mounts, module), runs qemu/run.sh's COMMAND and writes its exit status to a port
# that the host reads.

set -u
HOST=/run/host
DIR=$HOST$(sed 's/.*xpagemap_guest\.dir=\([^ ]*\).*/\1/' /proc/cmdline)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# virtme-ng's options on the kernel's command line are in the environment.
unset nr_open raid
# shellcheck source=/dev/null
. "$DIR/guest.env"

# The device of the port that qemu/run.sh named xpagemap.NAME.
port() {
	local port
	for port in /sys/class/virtio-ports/*; do
		[ "$(cat "$port/name")" != "xpagemap.$1" ] || echo "/dev/${port##*/}"
	done
}

# For the host, any last line but `exit STATUS TAINT` means that there is no verdict.
verdict() { echo "$*" >"$(port verdict)"; }

fail() {
	echo "guest.sh: $*" >&2
	verdict "failed $*"
	exit 125
}

# Makes a path of the host's visible that a file system of the guest's hides: binds the
# first directory on the way that is missing.
expose() {
	local path='' part
	while IFS= read -r -d / part; do
		path=$path${part:+/$part}
		[ -z "$path" ] || [ -e "$path" ] || break
	done <<<"$1/"
	[ ! -e "$path" ] || return 0
	mkdir "$path" && mount --bind "$HOST$path" "$path"
}

# Links to the host's files in a directory of a tmpfs that hides them; they may be
# too many to bind.
link_host() {
	local path
	while IFS= read -r -d '' path; do
		if [ ! -e "$1/$path" ]; then
			printf '%s\0' "$HOST$1/$path"
		elif [ -d "$1/$path" ] && ! mountpoint -q "$1/$path"; then
			link_host "$1/$path"
		fi
	done < <(find "$HOST$1" -ignore_readdir_race -mindepth 1 -maxdepth 1 -printf '%f\0') | xargs -r -0 ln -s -t "$1"
}

mounted() { mountpoint -q "$2" || mount -t "$1" "$1" "$2"; }

swap_device() {
	local disk
	for disk in /sys/block/vd*; do
		[ "$(cat "$disk/serial" 2>/dev/null)" = xpagemap-swap ] && echo "/dev/${disk##*/}"
	done
}

prepare() {
	local entry
	mount -t tmpfs -o mode=1777 tmp /tmp || fail "no tmpfs on /tmp"
	for entry in "$CWD" "$ROOT" "$BUILD" "$CACHE"; do
		expose "$entry" || fail "$entry: cannot be made visible"
	done
	mount --bind /run/build "$BUILD" || fail "$BUILD: cannot be made writable"
	for entry in /tmp /var/tmp /var/cache; do
		! mountpoint -q "$entry" || link_host "$entry" || fail "$entry: cannot be made visible"
	done
	mounted debugfs /sys/kernel/debug || fail "no debugfs"
	mounted tracefs /sys/kernel/tracing || fail "no tracefs"
	mounted cgroup2 /sys/fs/cgroup || fail "no cgroup2"
	if [ "$SWAP" != 0 ]; then
		XPAGEMAP_SWAPDEV=$(swap_device)
		[ -b "$XPAGEMAP_SWAPDEV" ] || fail "no swap disk"
		export XPAGEMAP_SWAPDEV
		{ mkswap "$XPAGEMAP_SWAPDEV" && swapon "$XPAGEMAP_SWAPDEV"; } >/run/swap.log 2>&1 ||
			fail "swapon: $(tr '\n' ' ' </run/swap.log)"
	fi
	export XPAGEMAP_KERNEL=$KERNEL
	if [ -n "$MODULE" ]; then
		export XPAGEMAP_MODULE=$MODULE
		insmod "$MODULE" || fail "the module does not load"
	fi
	cd "$CWD" || fail "$CWD: not visible"
}

# On the debug kernel, writes memory leaks to the kernel log, the module's included.
find_leaks() {
	local leaks=/sys/kernel/debug/kmemleak
	[ -w "$leaks" ] || return 0
	[ -z "$MODULE" ] || rmmod xpagemap 2>/dev/null
	sleep 6
	echo scan >"$leaks"
	echo scan >"$leaks"
	[ ! -s "$leaks" ] || cat "$leaks" >/dev/kmsg
}

[ "${1:-}" = --shell ] || exec >"$(port stdout)" 2>"$(port stderr)"
prepare

if [ "${1:-}" = --shell ]; then
	echo "Linux $(uname -r), $KERNEL; swap ${XPAGEMAP_SWAPDEV:-none}; module ${MODULE:-none}. Ctrl-D ends."
	exec bash -i
fi

mapfile -d '' -t command <"$DIR/command"
verdict begun
if ! type -P "${command[0]}" >/dev/null; then
	echo "${command[0]}: not found in the guest" >&2
	status=127
else
	# Without this, bash writes a line to standard error if a signal ends the command.
	exec 4>&2 2>/dev/null
	"${command[@]}" 2>&4 4>&-
	status=$?
	exec 2>&4 4>&-
fi
find_leaks
verdict "exit $status $(cat /proc/sys/kernel/tainted)"
