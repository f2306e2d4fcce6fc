/* SPDX-License-Identifier: GPL-2.0 */
/* What a witness has seen, in numbers. */
#ifndef SELFTESTS_TESTIMONY_H
#define SELFTESTS_TESTIMONY_H

#include <stddef.h>

struct testimony {
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
void testimony_add(struct testimony *sum, const struct testimony *t);

/* Diagnostic lines. */
void testimony_print(const struct testimony *t);

#endif
