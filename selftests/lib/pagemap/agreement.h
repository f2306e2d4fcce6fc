/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Agreement of ioctl(SHMEM_SCAN) with the module's files: files/ID/filemap and swapmap of the
 * same file, and PID/pagemap and swapmap of a mapping of it.
 */
#ifndef SELFTESTS_AGREEMENT_H
#define SELFTESTS_AGREEMENT_H

#include <stddef.h>

#include "lib/memory/region.h"
#include "lib/pagemap/source.h"

struct agreement {
	size_t pages;
	size_t cached, dirty, swapped, zero;	/* by SHMEM_SCAN */
	size_t located;		/* pages in swap that PID/pagemap shows there */
	size_t data;		/* pages read that have data, and are told to have it */
	size_t wrong;		/* pages on which two of them disagree */
	char first[256];	/* the first of these, in words */
};

/*
 * Compares all five for the pages of a region, whose process is attached. A page is
 *  - cached by SHMEM_SCAN if and only if it is present in the filemap;
 *  - in swap if and only if it is so in the filemap, and in a line of the file's swapmap, at
 *    the same slot;
 *  - cached if it is present in PID/pagemap and a page of the file;
 *  - in swap at the same slot if PID/pagemap, and a line of PID/swapmap, has a slot of shared
 *    memory; and shown so there unless the page table has an entry of its own.
 *
 * Repeats while pages move. Returns 0 or a negative errno.
 */
int agreement_check(const struct source *src, const struct region *r, struct agreement *a);

/*
 * The same, then reads every page up to the end of the file: one in no category, and one that
 * is neither dirty nor in swap with bytes there, must be all zero. Reading brings pages in.
 */
int agreement_check_bytes(const struct source *src, const struct region *r,
			  struct agreement *a);

void agreement_print(const struct agreement *a, const char *what);

#endif
