#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/clients/postgresql.sh: `postgresql-guest.sh SECONDS`. Fails if an answer is wrong, a
# rule is broken, or the database is not as it has to be.

set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
DATA=$(mktemp -d)
cd "$DATA"
# shellcheck source=scripts/clients/load/guest.sh
. "$HERE/load/guest.sh"
ROLES+=(mapping)
# The server refuses to run as root, and others may not be let into the cache.
mkdir /tmp/postgresql
mount --bind "$PACKAGES" /tmp/postgresql
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH//"$PACKAGES"//tmp/postgresql} PGHOST=$DATA PGDATABASE=postgres PGUSER=nobody
BIN=$(echo /tmp/postgresql/usr/lib/postgresql/*/bin)
chown nobody .
ip link set lo up 2>/dev/null || :
AS_USER=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "HOME=$DATA")
# logged LOG COMMAND...: shows what it said if it fails.
logged() {
	local log=$1
	shift
	"${AS_USER[@]}" "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; return 1; }
}
query() { "${AS_USER[@]}" "$BIN/psql" -XAtqc "$1"; }

logged initdb.log "$BIN/initdb" -D "$DATA/db" --no-sync --data-checksums --locale=C -A trust
# The database is on a tmpfs, and goes to swap too.
in_group "${AS_USER[@]}" "$BIN/postgres" -D "$DATA/db" -k "$DATA" -c listen_addresses= \
	-c shared_buffers=64MB -c huge_pages=off -c fsync=off -c max_wal_size=64MB -c min_wal_size=32MB -c log_checkpoints=off >server.log 2>&1 &
patiently "${AS_USER[@]}" "$BIN/pg_isready"
logged fill.log "$BIN/pgbench" -i -s 4 -q
query "create extension pg_prewarm; create extension amcheck"
query "select pg_prewarm('pgbench_accounts'), pg_prewarm('pgbench_accounts_pkey')" >/dev/null
server=$(head -n 1 db/postmaster.pid)
span=$(awk '/\/dev\/zero/ && $2 == "rw-s" { print $1 }' "/proc/$server/maps" | head -n 1)
export MAPPING="$server $span"
echo 60M >"$GROUP/memory.high"

status=0
watched in_group "${AS_USER[@]}" "$BIN/pgbench" -n -T "$1" -c 2 >pgbench.log || status=1
transactions=$(sed -n 's/.*actually processed: \([0-9]*\).*/\1/p' pgbench.log)
failed=$(sed -n 's/number of failed transactions: \([0-9]*\).*/\1/p' pgbench.log)
echo "row 2 clients of pgbench | $transactions | $FINDINGS"
read -r scans data least most <mapping.out
echo "mapping $scans $data $least $most"
if [ "$LOAD_STATUS" -ne 0 ] || [ "${failed:-1}" -ne 0 ]; then
	{ echo "pgbench returned $LOAD_STATUS"; tail -n 20 pgbench.log; } >&2
	status=1
fi

echo 1 >"$GROUP/cgroup.freeze"
patiently grep -qx 'frozen 1' "$GROUP/cgroup.events"
"$PYTHON" "$HERE/load/counts.py" "$server" "$span" || status=1
echo 0 >"$GROUP/cgroup.freeze"

# Each transaction adds its delta to an account, a teller and a branch, and writes it to the history.
sums=$(query "select (select sum(delta) from pgbench_history), (select sum(abalance) from pgbench_accounts),
	(select sum(tbalance) from pgbench_tellers), (select sum(bbalance) from pgbench_branches),
	(select count(*) from pgbench_history), (select count(*) from pgbench_accounts)")
IFS='|' read -r delta accounts tellers branches history rows <<<"$sums"
echo "sums $delta $accounts $tellers $branches $history $rows"
if [ "$delta" != "$accounts" ] || [ "$delta" != "$tellers" ] || [ "$delta" != "$branches" ] ||
	[ "$history" != "$transactions" ] || [ "$rows" != 400000 ]; then
	echo "the sums disagree: $sums, and $transactions transactions" >&2
	status=1
fi
logged amcheck.log "$BIN/pg_amcheck" --heapallindexed || status=1
logged stop.log "$BIN/pg_ctl" -D "$DATA/db" -m fast stop
logged checksums.log "$BIN/pg_checksums" --check -D "$DATA/db" || status=1
awk '/^Blocks scanned/ { print "blocks", $3 } /^Bad checksums/ { print "bad", $3 }' checksums.log
! grep -E 'ERROR|PANIC|FATAL' server.log | grep -v 'terminating connection\|database system is' >&2 || status=1
exit $status
