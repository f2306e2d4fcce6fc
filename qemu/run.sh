#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a guest, runs COMMAND in it as root, prints its output and returns its exit
# status; see usage below. virtme-ng gives the guest the host's files, read-only, at the
# same paths. qemu/guest.sh runs inside.

# QEMU's options hold commas: they separate no array elements.
# shellcheck disable=SC2054

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"

usage() {
	cat <<-'END'
		usage: qemu/run.sh [OPTION...] -- COMMAND [ARG...]
		       qemu/run.sh [OPTION...] --shell

		  --kernel NAME      patched (default), stock, debug or rfc; built first if need be
		  --smp N            CPUs (default 2)
		  --mem SIZE         memory (default 2G)
		  --nodes N          NUMA nodes that the memory is divided into (default 1)
		  --swap SIZE        the swap disk (default 1G; 0 for none)
		  --ram FILE         a new file that is the guest's memory, for a reader on the host
		  --icount           one CPU whose clock counts instructions, 1 ns each
		  --timeout SECONDS  give up on the guest after that long (default 1800)
		  --log FILE         keep the guest's kernel log
		  --no-build         run what is built, even if it is out of date
		  --verbose          say when the guest boots
		  --shell            an interactive shell instead of a command

		Exit status: COMMAND's; 128 + N if signal N killed it; 125 if the guest gave no
		verdict (no boot, hang, lost connection); 126 if its kernel log holds a WARNING,
		BUG, KASAN, lockdep, RCU stall, kmemleak or panic report, which is printed.

		Host files are readable at the same paths; writes go to the host only below
		build/. /tmp, /var/tmp and /var/cache are each a tmpfs of the guest's, with links
		to the host's files in it.
		In COMMAND's environment: XPAGEMAP_SWAPDEV, XPAGEMAP_KERNEL, XPAGEMAP_MODULE.
	END
}

# Ends with the status of the harness's own failures.
fail() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 125
}
# The status of a command that set -e ends this script for is none of COMMAND's.
trap 'fail "this failed: $BASH_COMMAND"' ERR

KERNEL=patched SMP=2 MEM=2G NODES=1 SWAP=1G RAM='' ICOUNT='' TIMEOUT=1800 LOG='' MAKE=1 SHELL_MODE='' VERBOSE=''

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --smp | --mem | --nodes | --swap | --ram | --timeout | --log)
		[ $# -ge 2 ] || { usage >&2; exit 125; } ;;&
	--kernel) KERNEL=$2; shift 2 ;;
	--smp) SMP=$2; shift 2 ;;
	--mem) MEM=$2; shift 2 ;;
	--nodes) NODES=$2; shift 2 ;;
	--swap) SWAP=$2; shift 2 ;;
	--ram) RAM=$2; shift 2 ;;
	--timeout) TIMEOUT=$2; shift 2 ;;
	--log) LOG=$2; shift 2 ;;
	--icount) ICOUNT=1; shift ;;
	--no-build) MAKE=''; shift ;;
	--verbose) VERBOSE=1; shift ;;
	--shell) SHELL_MODE=1; shift ;;
	-h | --help) usage; exit ;;
	--) shift; break ;;
	*) usage >&2; exit 125 ;;
	esac
done
[ -n "$SHELL_MODE" ] || [ $# -gt 0 ] || { usage >&2; exit 125; }
[[ $TIMEOUT =~ ^[0-9]+$ ]] || fail "--timeout $TIMEOUT: not a number of seconds"
[[ $SMP =~ ^[1-9][0-9]*$ ]] || fail "--smp $SMP: not a number of CPUs"
[[ $MEM =~ ^[1-9][0-9]*[KMGkmg]?$ ]] || fail "--mem $MEM: not a size"
[[ $NODES =~ ^[1-9]$ ]] || fail "--nodes $NODES: not a number of nodes, 1 to 9"
[[ $SWAP =~ ^[0-9]+[KMGkmg]?$ ]] || fail "--swap $SWAP: not a size"
[ -z "$ICOUNT" ] || SMP=1

(check_variant "$KERNEL") || exit 125
GROUP='' COPIERS=() DIR=''

# Ends the process group and the copiers, and removes the files.
# shellcheck disable=SC2317 # the EXIT trap calls it
cleanup() {
	local pid
	if [ -n "$GROUP" ]; then
		kill -TERM -- "-$GROUP" 2>/dev/null || :
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			kill -0 -- "-$GROUP" 2>/dev/null || break
			nap 0.2
		done
		kill -KILL -- "-$GROUP" 2>/dev/null || :
		wait "$GROUP" 2>/dev/null || :
	fi
	for pid in "${COPIERS[@]}"; do kill "$pid" 2>/dev/null || :; done
	[ -z "$DIR" ] || rm -rf "$DIR"
}
trap cleanup EXIT
# A second signal must not interrupt cleanup: timeout(1) sends two.
trap 'trap "" HUP INT TERM; exit 129' HUP
trap 'trap "" HUP INT TERM; exit 130' INT
trap 'trap "" HUP INT TERM; exit 143' TERM

# Runs a command in a process group of its own, so that a signal ends all of it.
in_group() {
	local status=0
	setsid "$@" </dev/null &
	GROUP=$!
	wait "$GROUP" || status=$?
	GROUP=''
	return $status
}

if [ -n "$MAKE" ]; then
	"$SCRIPTS/deps.sh" || fail "set-up failed"
	in_group "$QEMU_DIR/build.sh" "$KERNEL" || fail "the $KERNEL kernel could not be built"
fi
IMAGE=$BUILD/$KERNEL/bzImage
[ -e "$IMAGE" ] || fail "no $IMAGE: build it with qemu/build.sh $KERNEL"
[ -x "$VIRTME_RUN" ] || fail "no virtme-ng: scripts/deps.sh installs it"
if [ -n "$ICOUNT" ]; then ACCEL=tcg; else ACCEL=$("$QEMU_DIR/accel.sh" "$IMAGE") || fail "no accelerator"; fi

DIR=$(mktemp -d "${TMPDIR:-/tmp}/xpagemap.XXXXXX")
[ -z "$VERBOSE" ] || say "boot the $KERNEL kernel ($ACCEL, CPUs: $SMP, memory: $MEM) ..."
# Variables and arguments for guest.sh.
MODULE=$BUILD/$KERNEL/xpagemap.ko
[ -e "$MODULE" ] || MODULE=''
mkdir -p "$BUILD"
{
	printf 'CWD=%q\n' "$PWD"
	for name in ROOT BUILD CACHE KERNEL MODULE SWAP; do
		printf '%s=%q\n' "$name" "${!name}"
	done
} >"$DIR/guest.env"
[ $# -eq 0 ] || printf '%s\0' "$@" >"$DIR/command"
: >"$DIR/verdict"

virtme=("$VIRTME_RUN" --kimg "$IMAGE" --mods none --force-9p --user root --cwd /
	--memory "$MEM" --cpus "$SMP" --name xpagemap --rwdir "/run/build=$BUILD"
	--show-boot-console --kopt panic=-1
	--kopt rcupdate.rcu_cpu_stall_timeout=120 --kopt "xpagemap_guest.dir=$DIR"
	--kopt rootflags=version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose)
[ "$NODES" -eq 1 ] || virtme+=(--kopt "numa=fake=$NODES")
machine=q35,accel=$ACCEL
if [ -n "$RAM" ]; then
	rm -f "$RAM"
	machine+=,memory-backend=ram
fi
if [ "$ACCEL" = tcg ]; then
	# A host that is busy for 40 ms otherwise makes the kernel find its timer broken.
	virtme+=(--disable-kvm --kopt no_timer_check)
	extra=(-cpu max,la57=off)
	[ -z "$ICOUNT" ] || extra+=(-icount 'shift=0,sleep=off')
else
	extra=()
fi
[ -z "$RAM" ] || extra+=(-object "memory-backend-file,id=ram,size=$MEM,share=on,mem-path=$RAM")
extra+=(-machine "$machine" -no-reboot)
# QEMU's own firmware: with that of an older QEMU, booting takes half a minute longer.
[ ! -e "$CACHE/qemu" ] || extra+=(-L "$CACHE/qemu/usr/share/seabios" -L "$CACHE/qemu/usr/share/qemu")
# Ports besides virtme-ng's, which mix the guest's console into standard error.
for port in stdout stderr verdict; do
	extra+=(-device virtio-serial-pci -chardev "file,id=x$port,path=$DIR/$port"
		-device "virtserialport,name=xpagemap.$port,chardev=x$port")
done
if [[ $SWAP != 0 ]]; then
	truncate -s "$SWAP" "$DIR/swap"
	extra+=(-drive "if=none,id=swap,format=raw,cache=unsafe,file=$DIR/swap"
		-device virtio-blk-pci,drive=swap,serial=xpagemap-swap)
fi
for option in "${extra[@]}"; do virtme+=("--qemu-opt=$option"); done

script="mkdir -p /run/host && mount --bind / /run/host && exec bash /run/host$(printf %q "$QEMU_DIR")/guest.sh"
export TMPDIR=$DIR

if [ -n "$SHELL_MODE" ]; then
	printf '#!/bin/sh\n%s --shell\n' "$script" >"$DIR/shell"
	chmod +x "$DIR/shell"
	"${virtme[@]}" --rodir "/run/xpagemap=$DIR" --shell /run/xpagemap/shell || :
	exit 0
fi

# copy FD: what comes through a FIFO until the last writer has closed it; this one is none.
copy() { exec cat <&"$1" 61>&- 62>&- 63>&- 64<&- 65<&- 66<&-; }

# The FIFOs are opened here: a copier that opened one itself could come when the writer is gone, and
# wait for ever for another.
boot() {
	local pid watchdog
	exec 61<>"$DIR/stdout" 62<>"$DIR/stderr" 63<>"$DIR/console"
	exec 64<"$DIR/stdout" 65<"$DIR/stderr" 66<"$DIR/console"
	copy 64 &
	COPIERS+=($!)
	copy 65 >&2 &
	COPIERS+=($!)
	copy 66 >"$DIR/klog" &
	COPIERS+=($!)
	exec 64<&- 65<&- 66<&-
	(
		trap - EXIT HUP INT TERM
		nap "$TIMEOUT"
		touch "$DIR/timeout"
		kill -KILL -- "-$(cat "$DIR/group")"
	) 61>&- 62>&- 63>&- &
	watchdog=$!
	COPIERS+=("$watchdog")
	# shellcheck disable=SC2016 # for the inner shell to expand
	in_group sh -c 'echo $$ >"$TMPDIR/group"; exec "$@" >"$TMPDIR/console" 2>&1' sh \
		"${virtme[@]}" --kopt ignore_loglevel --script-sh "$script" 61>&- 62>&- 63>&- || :
	kill "$watchdog" 2>/dev/null || :
	exec 61>&- 62>&- 63>&-
	for pid in "${COPIERS[@]}"; do wait "$pid" 2>/dev/null || :; done
	COPIERS=()
}

# QEMU itself died before COMMAND began: with emulation, 10.0 has a race while PCI is set
# up ("iotlb_to_section: Assertion ... failed").
qemu_died() {
	[ ! -s "$DIR/verdict" ] && grep -aqE '^qemu-system[^ ]*: .*Assertion .* failed' "$DIR/klog"
}

# FIFOs, since QEMU opens and truncates the files it is given. Its standard error is the
# guest's console.
mkfifo "$DIR/stdout" "$DIR/stderr" "$DIR/console"
for attempt in 1 2 3; do
	boot
	qemu_died || break
	say "$(grep -aE '^qemu-system.*Assertion' "$DIR/klog")"
	[ "$attempt" -eq 3 ] || say "QEMU died before the guest was up: booting once more"
done

[ -z "$LOG" ] || cp "$DIR/klog" "$LOG"
read -r verdict status taint < <(tail -n 1 "$DIR/verdict") || :

if ! "$QEMU_DIR/klog.sh" "$DIR/klog" "${taint:-0}" >&2; then
	printf 'run.sh: the guest kernel reported the above' >&2
	[ "${verdict:-}" != exit ] || printf ' (COMMAND returned %s)' "$status" >&2
	echo >&2
	exit 126
fi
if [ "${verdict:-}" != exit ]; then
	{ echo "--- the end of the guest's kernel log:"; tail -n 40 "$DIR/klog"; } >&2
	[ ! -e "$DIR/timeout" ] || fail "no verdict within $TIMEOUT s (--timeout)"
	fail "the guest gave no verdict${status:+: $status $taint}"
fi
exit "$status"
