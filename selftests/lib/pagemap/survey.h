/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks every entry of a region. It must equal /proc's, except where the page is swapped
 * out by the file's page cache and the page table has nothing: such an entry is due. Each
 * swap slot in an entry is read from the disk and compared with the page's bytes.
 */
#ifndef SELFTESTS_SURVEY_H
#define SELFTESTS_SURVEY_H

#include <stddef.h>

#include "lib/memory/region.h"
#include "lib/pagemap/source.h"
#include "lib/swap/swapdisk.h"

struct survey {
	size_t pages;
	size_t present;		/* entries with bit 63 */
	size_t swapped;		/* entries with bit 62, without markers */
	size_t nothing;		/* entries without a page */
	size_t due;		/* pages whose entry must have a swap slot */
	size_t located;		/* of these, pages whose bytes are in that slot */
	size_t located_on[SWAPS_MAX];	/* the same by swap type */
	size_t silent;		/* of those due, pages shown as nothing */
	size_t mistaken;	/* wrong entries */
	char first[256];	/* the first of them, in words */
};

/*
 * Counts in @s. Waits for writes to the swap disk that are under way. Returns 0 or a
 * negative errno.
 */
int survey_region(const struct source *src, const struct region *r,
		  struct survey *s);

/* Prints the counts and the first mistake, as diagnostic lines. */
void survey_print(const struct survey *s, const char *what);

#endif
