// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "emulation.h"
#include "kselftest.h"

static int emulated(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	int found = 0;
	char line[256];

	if (!f)
		return -errno;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "model name", 10) && strstr(line, "QEMU TCG");
	fclose(f);
	return found;
}

int emulation_patch_safely(void)
{
	int found = emulated();
	cpu_set_t one;

	if (found <= 0)
		return found;
	ksft_print_msg("emulated: on one CPU, as QEMU loses what the kernel patches\n");
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}
