/* SPDX-License-Identifier: GPL-2.0 */
/* What a checker has seen, in numbers. */
#ifndef SELFTESTS_REPORT_H
#define SELFTESTS_REPORT_H

#include <stddef.h>

struct report {
	size_t reads;
	size_t entries;		/* seen in them */
	size_t locations;	/* of these, places in swap */
	size_t constant;	/* of these, due at one place and found there */
	size_t exact;		/* places whose bytes were the calm page's own */
	size_t own;		/* places whose bytes were, or had been, the page's */
	size_t ambiguous;	/* places that changed before their bytes were seen */
	size_t silences;	/* asked for, to see the bytes in peace */
	size_t wrong;
	char first[512];	/* the first of these, in words */
};

/* Adds up what several have seen. */
void report_add(struct report *sum, const struct report *t);

/* Diagnostic lines. */
void report_print(const struct report *t);

#endif
