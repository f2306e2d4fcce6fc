// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/memory/region.h"
#include "lib/swap/sheet.h"
#include "lib/swap/swapdev.h"
#include "lib/system/text.h"

#define TRIES		30
#define PAUSE_US	100000

long long swaps_used(const char *path)
{
	char text[4096], name[SWAPDEV_PATH], *line, *rest;
	long long used = 0, kib;

	if (read_text("/proc/swaps", text, sizeof(text)) < 0)
		return -1;
	/* The first line is a header. */
	strtok_r(text, "\n", &rest);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		if (sscanf(line, "%63s %*s %*s %lld", name, &kib) != 2)
			return -1;
		if (!path || !strcmp(path, name))
			used += kib * 1024 / PAGE_BYTES;
	}
	return used;
}

long long sheet_number(const struct cli *out, const char *path, const char *key)
{
	char device[SWAPDEV_PATH + 16];

	snprintf(device, sizeof(device), "\"path\":\"%s\"", path);
	return cli_number(out, device, key);
}

long long sheet_explained(const struct cli *out, const char *path)
{
	return sheet_number(out, path, "anonymous") + sheet_number(out, path, "shared") +
	       sheet_number(out, path, "files") + sheet_number(out, path, "cached") +
	       sheet_number(out, path, "swap_cache") + sheet_number(out, path, "transient");
}

bool sheet_settled(struct cli *out, const char *second, const char *options)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	long long used;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		cli_free(out);
		used = swaps_used(NULL);
		if (cli_run(out, "swap --json %s", options) || out->status)
			return false;
		if (used == swaps_used(NULL) && !cli_number(out, NULL, "moved") &&
		    sheet_explained(out, disk) == swaps_used(disk) &&
		    sheet_explained(out, second) == swaps_used(second))
			return true;
		usleep(PAUSE_US);
	}
	return false;
}
