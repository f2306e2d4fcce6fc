/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes memory in every way that moves its pages into swap, out of it, and
 * about in it, and keeps the shadow. One process for each file.
 */
#ifndef SELFTESTS_CHURN_H
#define SELFTESTS_CHURN_H

#include "lib/storm/shadow.h"
#include "lib/system/cgroup.h"

/* What was done how often. */
struct deeds {
	size_t refilled, touched, punched, truncated, paged_out, zapped, protected;
	size_t whole;		/* 2 MiB that went to swap in one piece */
	size_t split;		/* pages touched or punched in their midst */
	size_t collapsed;
	size_t unsettled;	/* 2 MiB that would not leave memory */
	size_t reclaimed;
};

/* Diagnostic lines. */
void deeds_print(const struct deeds *d, const char *what);

struct churning {
	struct shadows *all;
	struct shadow *l;
	struct cgroup *cg;	/* that the file's pages are charged to */
	struct deeds *deeds;	/* shared memory */
};

/*
 * Change a file of small folios, and one of 2 MiB folios, until it is over.
 * Return 0 or a negative errno.
 */
int churn_small(const struct churning *ch);
int churn_large(const struct churning *ch);

/* Lets the kernel reclaim from the cgroups of @count files meanwhile. */
int churn_reclaim(const struct churning *ch, size_t count);

/*
 * Fills 2 MiB of a file anew, swaps them out and frees the copies in memory.
 * Returns whether they have left it altogether.
 */
bool churn_block(const struct churning *ch, size_t first);

#endif
