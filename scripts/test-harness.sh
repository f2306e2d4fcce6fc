#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/test-harness.sh [KERNEL]: tests qemu/run.sh in KTAP: exit statuses, output, and
# that no file or process remains. KERNEL is stock by default.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

KERNEL=${1:-stock}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
# A run that leaves something behind leaves it here.
export TMPDIR=$WORK/tmp
mkdir "$TMPDIR"
COUNT=0

run() { "$QEMU_DIR/run.sh" --kernel "$KERNEL" "$@" >"$WORK/stdout" 2>"$WORK/stderr" </dev/null; }

# result NAME CONDITION...: one test; shows the output if it fails.
result() {
	local name=$1
	shift
	COUNT=$((COUNT + 1))
	if "$@"; then
		echo "ok $COUNT $name"
	else
		echo "# $* does not hold"
		head -c 2000 "$WORK/stdout" | sed 's/^/# stdout: /'
		tail -n 20 "$WORK/stderr" | sed 's/^/# stderr: /'
		echo "not ok $COUNT $name"
	fi
}

status_is() {
	local expected=$1 status=0
	shift
	run "$@" || status=$?
	echo "# status $status, expected $expected" >>"$WORK/stderr"
	[ "$status" -eq "$expected" ]
}

says() { grep -qF -- "$2" "$WORK/$1"; }
clean() { [ -z "$(ls -A "$TMPDIR")" ]; }

no_processes() {
	local dir
	for dir in /proc/[0-9]*; do
		! tr '\0' ' ' 2>/dev/null <"$dir/cmdline" | grep -qF "$WORK/tmp/xpagemap" || return 1
	done
}

# shellcheck disable=SC2016 # nothing here is for this shell to expand
arguments_and_streams() {
	local status=0
	run -- sh -c 'printf "%s|" "$@"; printf "\001\000\377" ; echo "to stderr" >&2; pwd; exit 3' \
		'a b' 'two  spaces' '"quo'"'"'ted"' '' '$HOME' "new
line" 'ü' || status=$?
	{
		printf '%s|' 'two  spaces' '"quo'"'"'ted"' '' '$HOME' "new
line" 'ü'
		printf '\001\000\377'
		pwd
	} >"$WORK/expected"
	[ "$status" -eq 3 ] && cmp -s "$WORK/expected" "$WORK/stdout" && [ "$(cat "$WORK/stderr")" = 'to stderr' ]
}

big_output() {
	run -- sh -c 'seq 1 1500000; echo end >&2' &&
		seq 1 1500000 | cmp -s - "$WORK/stdout" && says stderr end
}

swap_disk() {
	# shellcheck disable=SC2016
	status_is 0 --swap 64M -- sh -euc '
		set -- $(tail -n +2 /proc/swaps)
		[ $# -eq 5 ] && [ "$1" = "$XPAGEMAP_SWAPDEV" ] && [ "$3" -eq 65532 ]
		dd if="$XPAGEMAP_SWAPDEV" bs=4096 count=1 status=none | tail -c 10 | grep -q SWAPSPACE2
		for m in /proc /sys /sys/kernel/debug /sys/kernel/tracing /sys/fs/cgroup /tmp; do mountpoint -q $m; done
		echo x >"$(mktemp /tmp/xpagemap.XXXXXX)"'
}

# Files of the host's in directories that a tmpfs hides in the guest. /var/cache is root's.
host_files() {
	local file status=0 files=()
	for file in /tmp/.xpagemap /tmp/xpagemap /var/tmp/xpagemap; do files+=("$(mktemp "$file.XXXXXX")"); done
	for file in "${files[@]}"; do echo "content of ${file%.*}" >"$file"; done
	# shellcheck disable=SC2016
	run -- sh -euc 'cat "$@"; echo x >"$(mktemp /var/tmp/xpagemap.XXXXXX)"; find -L /var/cache -mindepth 1 -maxdepth 2 | sort' sh "${files[@]}" || status=$?
	rm -f "${files[@]}"
	return "$status"
}

var_cache() { [ "$(grep '^/var/cache/' "$WORK/stdout")" = "$(find /var/cache -mindepth 1 -maxdepth 2 | sort)" ]; }

terminated() {
	local status=0
	# It sends the signal twice, to the process and to its group.
	timeout 6 "$QEMU_DIR/run.sh" --kernel "$KERNEL" -- sleep 1000 >"$WORK/stdout" 2>"$WORK/stderr" </dev/null || status=$?
	[ "$status" -eq 124 ] && clean && no_processes
}

two_at_once() {
	local first second=0
	"$QEMU_DIR/run.sh" --kernel "$KERNEL" -- sh -c 'echo first; exit 4' >"$WORK/first" 2>&1 </dev/null &
	run -- sh -c 'echo second; exit 5' || second=$?
	wait $! && first=0 || first=$?
	[ "$first.$second" = 4.5 ] && [ "$(cat "$WORK/first" "$WORK/stdout")" = 'first
second' ]
}

# dying TIMES STATUS: QEMU dies that many times before the guest is up.
dying() {
	cat >"$WORK/virtme-run" <<-END
		#!/bin/bash
		echo >>"$WORK/deaths"
		if [ "\$(wc -l <"$WORK/deaths")" -le $1 ]; then
			echo "qemu-system-x86_64: a.c:1: f: Assertion \\\`i < n' failed."
			exit 134
		fi
		exec "$VIRTME_RUN" "\$@"
	END
	chmod +x "$WORK/virtme-run"
	: >"$WORK/deaths"
	VIRTME_RUN=$WORK/virtme-run status_is "$2" -- echo up && says stderr 'QEMU died'
}

# The same where what copies the output takes a second to begin: QEMU has come and gone by then. The
# console's is quick, since QEMU might wait for that.
slow_copiers() {
	mkdir "$WORK/bin"
	cat >"$WORK/bin/cat" <<-END
		#!/bin/sh
		case \$1 in */console) ;; *) sleep 1 ;; esac
		exec $(command -v cat) "\$@"
	END
	chmod +x "$WORK/bin/cat"
	PATH=$WORK/bin:$PATH dying 9 125
}

# log_is STATUS LINE...: klog.sh's exit status for a log of these lines.
log_is() {
	local expected=$1 status=0
	shift
	printf '[    4.619326] %s\n' "$@" >"$WORK/log"
	"$QEMU_DIR/klog.sh" "$WORK/log" >"$WORK/stdout" 2>"$WORK/stderr" || status=$?
	[ "$status" -eq "$expected" ]
}

bad_accelerator() { XPAGEMAP_ACCEL=bogus status_is 125 -- true; }
no_directory() { TMPDIR=$WORK/none status_is 125 -- true; }

cd "$ROOT"
echo 'KTAP version 1'
echo '1..26'
result harness.log_without_reports log_is 0 'Run /init as init process' 'reboot: Power down'
result harness.log_with_a_report log_is 1 'Run /init as init process' 'WARNING: mm/gup.c:1 at gup, CPU#0: cow/1'
result harness.log_of_virtme_ng_init log_is 0 'virtme-ng-init: WARNING: failed to run: "systemd-tmpfiles"'
result harness.log_of_a_program_that_crashes log_is 0 'traps: cow[333] general protection fault ip:5fb50a sp:7ffe427ddc70 error:0 in cow[1fb50a,41f000+2b3000]'
result harness.log_of_the_same_in_the_kernel log_is 1 'Oops: general protection fault, maybe for address 0x1: 0000 [#1] SMP'
result harness.bad_accelerator bad_accelerator
result harness.no_directory_for_files no_directory
result harness.uname status_is 0 -- uname -r
result harness.uname_output says stdout "$(cut -d' ' -f1 "$("$QEMU_DIR/build.sh" --source stock)/../origin")"
result harness.arguments_and_streams arguments_and_streams
result harness.big_output big_output
result harness.signal status_is 137 -- sh -c 'kill -9 $$'
result harness.panic status_is 126 -- sh -c 'echo c >/proc/sysrq-trigger'
result harness.panic_is_shown says stderr 'Kernel panic'
result harness.time_limit status_is 125 --timeout 20 -- sleep 1000
result harness.qemu_dies_once dying 1 0
result harness.qemu_dies_once_output says stdout up
result harness.qemu_always_dies dying 9 125
result harness.qemu_dies_before_its_output_is_read slow_copiers
result harness.swap_disk swap_disk
result harness.host_files host_files
result harness.host_files_below_tmp says stdout 'content of /tmp/.xpagemap'
result harness.host_files_below_var_tmp says stdout 'content of /var/tmp/xpagemap'
result harness.host_files_below_var_cache var_cache
result harness.two_at_once two_at_once
result harness.terminated_leaves_nothing terminated
