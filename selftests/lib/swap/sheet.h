/* SPDX-License-Identifier: GPL-2.0 */
/* The balance sheet of `xpagemap swap --json`, and what /proc/swaps says. */
#ifndef SELFTESTS_SHEET_H
#define SELFTESTS_SHEET_H

#include <stdbool.h>

#include "lib/system/cli.h"

/* Used slots of a device, or of all if @path is NULL, by /proc/swaps; -1 if it is not readable. */
long long swaps_used(const char *path);

/* A number of a device in the sheet, as cli_number(). */
long long sheet_number(const struct cli *out, const char *path, const char *key);

/* A device's used slots that the sheet explains. */
long long sheet_explained(const struct cli *out, const char *path);

/*
 * Runs `xpagemap swap --json` with @options until nothing was swapped meanwhile and the disk
 * and the device @second are explained: processes that have just ended can leave pages in
 * the swap cache until reclaim. False if that never is.
 */
bool sheet_settled(struct cli *out, const char *second, const char *options);

#endif
