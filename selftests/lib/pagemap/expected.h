/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PAGEMAP_SCAN and PAGEMAP_READ with each combination of the look-up flags, compared with
 * the entries of plain read() and the state of the file's pages by cachestat(2).
 */
#ifndef SELFTESTS_EXPECTED_H
#define SELFTESTS_EXPECTED_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/memory/region.h"

struct expected {
	size_t pages;		/* compared */
	size_t swapped, cached;	/* of these, told by the look-up of both alone */
	size_t wrong;		/* results that differ, over all combinations */
	char first[256];	/* the first of them, in words */
};

/*
 * Compares all pages of @view in @fd, a pagemap file opened with CAP_SYS_ADMIN. Nobody may
 * change the mapping or the file meanwhile. Returns 0 or a negative errno.
 */
int expected_compare(int fd, const struct region *view, struct expected *e);

/* PM_SCAN_* and PM_READ_* flags for bits 0 (swap) and 1 (cache) of @both. */
__u64 expected_scan_flags(int both);
__u64 expected_read_flags(int both);

#endif
