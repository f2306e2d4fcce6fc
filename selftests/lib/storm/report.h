/* SPDX-License-Identifier: GPL-2.0 */
/* Counts of what a checker has read. */
#ifndef SELFTESTS_REPORT_H
#define SELFTESTS_REPORT_H

#include <stddef.h>

struct report {
	size_t reads;
	size_t entries;		/* in these reads */
	size_t locations;	/* entries with a swap slot */
	size_t constant;	/* locations that had to be a known slot, and were */
	size_t exact;		/* slots with the bytes that the shadow has */
	size_t own;		/* slots with bytes that the page has or had */
	size_t changed;		/* slots not compared: the page changed before */
	size_t locked;		/* times that change_lock was held to compare */
	size_t wrong;		/* entries that cannot be true */
	char first[512];	/* the first of these, in words */
};

/* Adds @r to @sum. */
void report_add(struct report *sum, const struct report *r);

/* Prints diagnostic lines. */
void report_print(const struct report *r);

#endif
