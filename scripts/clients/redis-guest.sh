#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/redis.sh: `key value` lines of pages.

set -euo pipefail
# shellcheck source=scripts/clients/patiently-guest.sh
. "$(dirname "$0")/patiently-guest.sh"
cd "$(mktemp -d)"
cli() { "$REDIS/usr/bin/redis-cli" -s "$PWD/socket" "$@" 2>/dev/null; }
traced() { grep -q '^TracerPid:.*[1-9]' "/proc/$server/status"; }
stopped() { grep -q '^State:.*stop' "/proc/$child/status"; }

ip link set lo up 2>/dev/null || :
# The delay keeps the child alive while its parent writes.
"$REDIS/usr/bin/redis-server" --port 0 --unixsocket "$PWD/socket" --dir "$PWD" --save '' \
	--rdb-key-save-delay 20000 --logfile "$PWD/log" &
server=$!
patiently cli ping
cli eval "for i = 0, $((MIB * 1024 - 1)) do redis.call('set', 'key:' .. i, string.rep('x', 1000)) end" 0 >/dev/null
"$XPAGEMAP" trace -f "$server" >report 2>errors &
tracer=$!
patiently traced
cli bgsave >/dev/null
cli eval "for i = 1, 2000 do redis.call('setrange', 'key:' .. math.random(0, $((MIB * 1024 - 1))), 0, 'y') end" 0 >/dev/null
child=$(awk '{ print $1 }' "/proc/$server/task/$server/children")
# Stopped, it copies nothing more while it is looked at.
kill -STOP "$child"
patiently stopped
dirty=$(awk '/^Shared_Dirty/ { print $2 / 4 }' "/proc/$child/smaps_rollup")
kill -INT "$tracer"
wait "$tracer" || :
cat report errors >&2
awk -v parent="$server" -v child="$child" '$1 == parent && $2 == child {
	print "shared", $3; print "copied", $4 + $5 + $6; print "left", $7 }' report
echo "smaps $dirty"
kill -KILL "$child" "$server"
