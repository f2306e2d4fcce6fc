/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares every entry of a region with what it must be: /proc's entry, but
 * for pages that the file's page cache knows to be swapped out and the page
 * table does not. Every place in swap that an entry names is read from the disk
 * and compared with the page's bytes.
 */
#ifndef SELFTESTS_SURVEY_H
#define SELFTESTS_SURVEY_H

#include <stddef.h>

#include "lib/memory/region.h"
#include "lib/pagemap/source.h"
#include "lib/swap/swapdisk.h"

struct survey {
	size_t pages;
	size_t present;		/* entries that say so */
	size_t swapped;		/* likewise, markers not counted */
	size_t nothing;		/* entries that tell of no page */
	size_t due;		/* pages whose place in swap must be told */
	size_t located;		/* of these, told, and their bytes found there */
	size_t located_on[SWAPS_MAX];	/* the same by swap type */
	size_t silent;		/* of these, shown as nothing */
	size_t mistaken;	/* entries that are not what they must be */
	char first[256];	/* the first of them, in words */
};

/*
 * Waits for writes to the swap disk that are under way. Returns 0 or a negative
 * errno; what the entries say is in @s.
 */
int survey_region(const struct source *src, const struct region *r,
		  struct survey *s);

/* Diagnostic lines: the counts, and the first mistake. */
void survey_print(const struct survey *s, const char *what);

#endif
