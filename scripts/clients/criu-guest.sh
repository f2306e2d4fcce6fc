#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/criu.sh: `criu-guest.sh KIND...`, a line `kind KIND sysctl on|off|none name value ...`
# for each kind of shared memory and value of vm.pagemap_shmem_swap. Fails if CRIU does, or if a restored process
# finds another byte than it wrote.

set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/clients/patiently-guest.sh
. "$HERE/patiently-guest.sh"
read -ra CRIU <<<"$CRIU"
SYSCTL=/proc/sys/vm/pagemap_shmem_swap
GROUP=/sys/fs/cgroup/criu
TIMEFORMAT='%3U %3S'
HUGE=/sys/kernel/mm/transparent_hugepage/shmem_enabled
TOP=$(mktemp -d)
# On a tmpfs: CRIU opens the program's file again when it restores.
cp "$SUBJECT" "$TOP/criu-subject"

# smaps PID START-END FIELD: pages of the mapping.
smaps() {
	awk -v range="$2" -v field="$3:" '/^[0-9a-f]+-/ { on = $1 == range } on && $1 == field { print $2 / 4 }' "/proc/$1/smaps"
}
vmstat() { awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat; }
# file_pages PID START-END: pages that the file of the mapping has, by stat().
file_pages() { echo $(($(stat -Lc '%b * %B / 4096' "/proc/$1/map_files/$2"))); }
# scan PROGRAM PID START-END: pages that an example would save, or `-`.
scan() { "$EXAMPLES/$1" "/proc/$2/map_files/$3" 2>/dev/null | awk '/^total/ { pages = $2 } END { print pages == "" ? "-" : pages }'; }
# Pages that were swapped out stay in the swap cache for a while, from where they would come back without I/O.
# shellcheck disable=SC2317 # `patiently` calls it
swap_cache_empty() {
	[ "$(awk '$1 == "swapcached" { print $2 }' "$GROUP/memory.stat")" -eq 0 ] && return
	echo 64K >"$GROUP/memory.reclaim"
	false
}
# shellcheck disable=SC2317 # likewise
gone() { [ ! -e "/proc/$1" ]; }

# criu COMMAND DIR OPTION...: shows the end of its log if it fails. --unprivileged: else CRIU tries out a network
# namespace, which this kernel has not.
criu() {
	local command=$1 dir=$2 log=$2/$1.log
	shift 2
	if "${CRIU[@]}" "$command" --unprivileged -D "$dir" -o "$command.log" -v4 "$@"; then return 0; fi
	{
		echo
		echo "criu $command:"
		grep -E 'Error|Warn' "$log" | head -n 20
		tail -n 5 "$log"
	} >&2
	return 1
}

# one KIND SYSCTL: dumps, ends, restores and asks.
one() {
	local kind=$1 dir=$TOP/$1-$2 pid child range read zero wrong
	mkdir -p "$dir/images"
	[[ $kind != *-huge ]] || echo always >$HUGE
	(
		echo "$BASHPID" >"$GROUP/cgroup.procs"
		exec setsid "$TOP/criu-subject" "$kind" "$dir" </dev/null >/dev/null 2>&1
	) &
	disown
	patiently test -e "$dir/half" && patiently swap_cache_empty || return 1
	kill -USR1 "$(cat "$dir/half")"
	patiently test -e "$dir/ready" || return 1
	echo never >$HUGE
	read -r pid child range <"$dir/ready"
	printf 'kind %s sysctl %s pages %s huge %s' "$kind" "$2" "$(file_pages "$pid" "$range")" "$(smaps "$pid" "$range" ShmemPmdMapped)"
	printf ' lseek %s scan %s' "$(scan save_lseek "$pid" "$range")" "$(scan save_shmem_scan "$pid" "$range")"
	printf ' swapped %s' "$(smaps "$pid" "$range" Swap)"
	read=$(vmstat pswpin) zero=$(vmstat swpin_zero)
	{ time criu dump "$dir/images" -t "$pid" --leave-stopped --ghost-limit 64M 2>&3; } 3>&2 2>"$dir/time" || return 1
	printf ' read %s zero %s' $(($(vmstat pswpin) - read)) $(($(vmstat swpin_zero) - zero))
	printf ' after %s' "$(smaps "$pid" "$range" Swap)"
	printf ' cpu %s' "$(awk '{ print int(1000 * ($1 + $2)) }' "$dir/time")"
	"$PYTHON" "$HERE/criu/stats.py" "$dir/images/stats-dump" | awk '{ printf " %s %s", $1, $2 }'
	printf ' bytes %s' "$(du -bc "$dir"/images/*.img | awk 'END { print $1 }')"
	# The PIDs have to be free.
	kill -KILL "$pid" "$child"
	patiently gone "$child" && patiently gone "$pid" || return 1
	criu restore "$dir/images" -d || return 1
	printf ' restored %s' "$(file_pages "$pid" "$range")"
	kill -USR1 "$pid"
	patiently test -e "$dir/done" || return 1
	wrong=$(($(cat "$dir/parent") + $(cat "$dir/child")))
	echo " wrong $wrong"
	[ "$wrong" -eq 0 ]
}

# CRIU keeps what it has found out about the kernel, and finds it out once. It complains of what this kernel lacks.
"${CRIU[@]}" check --unprivileged >/dev/null 2>&1
status=0
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$GROUP"
values=(none)
[ ! -e "$SYSCTL" ] || read -ra values <<<"$SETTINGS"
for setting in "${values[@]}"; do
	case $setting in on) echo 1 >"$SYSCTL" ;; off) echo 0 >"$SYSCTL" ;; esac
	for kind in "$@"; do one "$kind" "$setting" || { echo "$kind failed" >&2; status=1; }; done
done
exit $status
