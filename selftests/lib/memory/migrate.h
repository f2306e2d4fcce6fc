/* SPDX-License-Identifier: GPL-2.0 */
/* Moves pages to other frames, by MADV_SOFT_OFFLINE. */
#ifndef SELFTESTS_MIGRATE_H
#define SELFTESTS_MIGRATE_H

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"

/*
 * Takes the page's frame offline, so that its contents must move, and then back online.
 * A large folio is split first. Returns 0 or a negative errno, -EBUSY or -EIO if the page
 * cannot move.
 */
int migrate_page(const struct exclusive *ex, void *addr);

/* All pages of a region; stops at the first error. */
int migrate_region(const struct exclusive *ex, const struct region *r);

/*
 * From now on, new pages of this process and its later children come from this NUMA node
 * alone; from any node. Both return 0 or a negative errno.
 */
int node_bind(unsigned int node);
int node_unbind(void);

#endif
