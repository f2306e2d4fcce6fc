#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu/klog.sh LOG [TAINT]: fails if a guest's kernel log holds a WARNING, BUG or other
# report, and prints the reports. TAINT is /proc/sys/kernel/tainted, which also tells of
# reports that never reached the console.

set -eu

REPORTS='WARNING: |BUG: |kernel BUG at|Oops: |KASAN: |UBSAN: |KFENCE: 
|INFO: rcu|rcu_[a-z]* detected|detected stalls|self-detected stall
|possible (circular|recursive|irq) |inconsistent lock state|suspicious RCU usage
|INFO: trying to register non-static key|INFO: possible |INFO: task .* blocked for more than
|sleeping function called from invalid context|scheduling while atomic
|[0-9]+ new suspected memory leaks|unreferenced object 0x
|Kernel panic|rust_kernel: panicked at|ODEBUG: |Unable to handle|list_(add|del) corruption'
REPORTS=${REPORTS//$'\n'/}

# D(ied), B(ad page), W(arning), L(ockup)
TAINTS=$(((1 << 7) | (1 << 5) | (1 << 9) | (1 << 14)))

# virtme-ng's init writes warnings to the kernel log, which are no reports.
INIT='^(\[ *[0-9.]+\] )?virtme-ng-init: '

log=$1
reports=$(grep -avE "$INIT" "$log" | grep -anE -B 2 -A 60 "$REPORTS" | head -n 300 || :)
if [ -n "$reports" ]; then
	printf -- "--- the guest's kernel log:\n%s\n" "$reports"
	exit 1
fi
if [ $((${2:-0} & TAINTS)) -ne 0 ]; then
	echo "the guest's kernel is tainted ($2: died, bad page, warning or lockup), its log does not show why; the log's end:"
	tail -n 100 "$log"
	exit 1
fi
