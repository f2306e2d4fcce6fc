# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the scripts of loads in guests: a cgroup with less memory than the load wants, so that swap is
# used, and watchers beside the load. ROLES are those of watch.py.

# shellcheck source=scripts/clients/patiently-guest.sh
. "$HERE/patiently-guest.sh"
export GROUP=/sys/fs/cgroup/load
ROLES=(readers check swap)
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
mkdir -p "$GROUP"
echo advise >/sys/kernel/mm/transparent_hugepage/shmem_enabled
echo 1 >/proc/sys/vm/pagemap_shmem_swap

in_group() { (echo "$BASHPID" >"$GROUP/cgroup.procs"; exec "$@"); }

# watched COMMAND...: runs it beside the watchers. Its status is in LOAD_STATUS, FINDINGS are the watchers' columns;
# fails if one of them found something wrong, or had no round.
# shellcheck disable=SC2034 # of the script that sources this
watched() {
	local watchers=() role watcher failed=0 rounds bytes errors checks sheets slots unexplained change
	rm -f -- stop ./*.ready
	for role in "${ROLES[@]}"; do
		"$PYTHON" "$HERE/load/watch.py" "$role" >"$role.out" 2>"$role.wrong" &
		watchers+=($!)
		patiently test -e "$role.ready" || { cat "$role.wrong" >&2; exit 1; }
	done
	LOAD_STATUS=0
	"$@" || LOAD_STATUS=$?
	touch stop
	for watcher in "${watchers[@]}"; do wait "$watcher" || failed=1; done
	cat -- ./*.wrong >&2
	read -r rounds bytes errors <readers.out
	read -r checks <check.out
	read -r sheets slots unexplained change <swap.out
	FINDINGS="$rounds | $((bytes >> 10)) | ${errors:-none} | $checks | $sheets | $slots | $unexplained | $change"
	for role in "${ROLES[@]}"; do
		[ "$(cut -d ' ' -f 1 "$role.out")" -gt 0 ] || { echo "$role: no round" >&2; failed=1; }
	done
	return $failed
}
