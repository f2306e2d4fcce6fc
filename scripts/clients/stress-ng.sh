# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# stress-ng's memory stressors, class by class, with readers of the views, `xpagemap check --all` and the balance sheet
# beside. Sourced by scripts/clients.sh, with DIR.

# shellcheck source=scripts/clients/load/host.sh
. "$SCRIPTS/clients/load/host.sh"
STRESS=$(client_packages stress-ng stress-ng)
status=0
run_load stress-ng "$STRESS" || status=1
cat <<-END
	stress-ng $(client_version stress-ng stress-ng) (Debian), $(grep -c '^row ' "$DIR/${KERNELS[0]}") classes of $MINUTES min each, in 80 MiB of memory and the rest in swap, \`vm.pagemap_shmem_swap=1\`, on the kernel ${KERNELS[*]}. Meanwhile three
	watchers: all views of stress-ng's processes were read in rounds, \`xpagemap check --all\` looked for broken rules, \`xpagemap swap\` drew up
	its balance sheet. Beside the stressors two processes keep 512 pages of a memfd and 512 of their own in swap, by \`smaps\`: in each round their
	entries in \`PID/pagemap\` and \`/proc/PID/pagemap\` were the same slots, \`PID/swapmap\` told all pages, \`slots\` had them in use, and each sheet
	had them. No rule was broken, no view ended in an error but those of a process that exits or that another watcher has attached
	(counted), no sheet left more unexplained than it said had changed, and the kernel log is clean.

	$(load_table class "bogo operations")
END
exit $status
