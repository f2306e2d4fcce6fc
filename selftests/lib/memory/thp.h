/* SPDX-License-Identifier: GPL-2.0 */
/* Transparent huge pages of private anonymous memory, each mapped by a PMD. */
#ifndef SELFTESTS_THP_H
#define SELFTESTS_THP_H

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"
#include "xpagemap.h"

/* Size of the folio, and of the mapping. */
#define EX_SHAPE (EX_LARGE | EX_PMD)

/* Maps @pmds PMDs, aligned, with no page yet. Returns 0 or a negative errno. */
int thp_map_empty(struct region *r, size_t pmds);

/*
 * The same filled with huge pages. MADV_NOHUGEPAGE keeps khugepaged away from them, so
 * that a split stays. Returns 0 or a negative errno, -ENOMEM if there are no free
 * pages that large.
 */
int thp_map(struct region *r, size_t pmds);

/* Splits the folios behind a region, by debugfs. Returns 0 or a negative errno. */
int thp_split(const struct region *r);

/* MADV_COLLAPSE of 2 MiB from page @from on. Returns 0 or a negative errno. */
int thp_collapse(const struct region *r, size_t from);

/* Number of pages whose bits of EX_SHAPE equal @shape, or a negative errno. */
long thp_count(const struct exclusive *ex, const struct region *r, __u64 shape);

#endif
