/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes a file in every way that moves its pages into swap, within swap and out of it,
 * and keeps its shadow. One process for each file.
 */
#ifndef SELFTESTS_CHURN_H
#define SELFTESTS_CHURN_H

#include "lib/storm/shadow.h"
#include "lib/system/cgroup.h"

/* Number of times of each operation. */
struct churn_counts {
	size_t refilled, touched, punched, truncated, paged_out, zapped, protected;
	size_t whole;		/* 2 MiB swapped out as one folio */
	size_t split;		/* pages touched or punched inside one */
	size_t collapsed;
	size_t unsettled;	/* 2 MiB that stayed in memory */
	size_t reclaimed;
};

/* Prints diagnostic lines. */
void churn_counts_print(const struct churn_counts *d, const char *what);

struct churn {
	struct shadows *all;
	struct shadow *sh;
	struct cgroup *cg;	/* that the file's pages are charged to */
	struct churn_counts *counts;	/* shared memory */
};

/*
 * Changes a file, of small folios or of 2 MiB folios, until all->stop is set, or sets it
 * after an error. Returns 0 or a negative errno.
 */
int churn_run(const struct churn *ch, bool large);

/* Reclaims from the cgroups of @count files until all->stop is set. */
int churn_reclaim(const struct churn *ch, size_t count);

/*
 * Writes new contents to 2 MiB of a file, swaps them out and drops them from the swap
 * cache. Returns true if nothing of them is left in memory.
 */
bool churn_block(const struct churn *ch, size_t first);

#endif
