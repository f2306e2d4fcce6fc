/* SPDX-License-Identifier: GPL-2.0 */
/* Transparent huge pages of private anonymous memory, each mapped by a PMD. */
#ifndef SELFTESTS_THP_H
#define SELFTESTS_THP_H

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"
#include "xpagemap.h"

/* The bits that tell how a page is mapped. */
#define EX_SHAPE (EX_LARGE | EX_PMD)

/*
 * Maps @pmds of them, filled. khugepaged is kept away from them, so that what is
 * split stays split. Returns 0 or a negative errno, -ENOMEM where there are no
 * free pages that large.
 */
int thp_map(struct region *r, size_t pmds);

/* Splits the folios behind a region, by debugfs. Returns 0 or a negative errno. */
int thp_split(const struct region *r);

/* Makes one of 2 MiB from @from on. Returns 0 or a negative errno. */
int thp_collapse(const struct region *r, size_t from);

/* How many pages of a region have @shape, one or both of these bits or none. */
long thp_count(const struct exclusive *ex, const struct region *r, __u64 shape);

#endif
