# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# stress-ng's memory stressors, class by class, with readers of the views, `xpagemap check --all` and the balance sheet
# beside. STRESS_MINUTES is the time of each class, STRESS_KERNELS the kernels. Sourced by scripts/clients.sh, with DIR.

STRESS=$(client_packages stress-ng stress-ng)
MINUTES=${STRESS_MINUTES:-3}
SECONDS_EACH=$(awk -v minutes="$MINUTES" 'BEGIN { print int(60 * minutes) }')
read -ra KERNELS <<<"${STRESS_KERNELS:-patched}"
"$SCRIPTS/tools.sh"
status=0
for kernel in "${KERNELS[@]}"; do
	"$QEMU_DIR/run.sh" --kernel "$kernel" --mem 1G --timeout $((3600 + 20 * SECONDS_EACH)) -- env "STRESS=$STRESS" "PYTHON=$PYTHON" \
		"LD_LIBRARY_PATH=$(client_libraries "$STRESS")" "XPAGEMAP=$BUILD/tools/release/xpagemap" \
		"$SCRIPTS/clients/stress-ng-guest.sh" "$SECONDS_EACH" >"$DIR/$kernel" || status=1
done
cat <<-END
	stress-ng $(client_version stress-ng stress-ng) (Debian), $(wc -l <"$DIR/${KERNELS[0]}") classes of $MINUTES min each, in 80 MiB of memory and the rest in swap, \`vm.pagemap_shmem_swap=1\`, on the kernel ${KERNELS[*]}. Meanwhile three
	watchers: all views of stress-ng's processes were read in rounds, \`xpagemap check --all\` looked for broken rules, \`xpagemap swap\` drew up
	its balance sheet. Beside the stressors two processes keep 512 pages of a memfd and 512 of their own in swap, by \`smaps\`: in each round their
	entries in \`PID/pagemap\` and \`/proc/PID/pagemap\` were the same slots, \`PID/swapmap\` told all pages, \`slots\` had them in use, and each sheet
	had them. No rule was broken, no view ended in an error but those of a process that exits or that another watcher has attached
	(counted), no sheet left more unexplained than it said had changed, and the kernel log is clean.

	| kernel | class | bogo operations | rounds of readers | KiB read | errors of exited processes | checks | sheets | slots used, at most | unexplained, at most | changed during that one |
	| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
	$(for kernel in "${KERNELS[@]}"; do sed "s/^/| $kernel | /; s/\$/ |/" "$DIR/$kernel"; done)
END
exit $status
