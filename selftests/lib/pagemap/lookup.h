/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc/PID/pagemap itself says when it is asked to look up shared memory in
 * swap: by PAGEMAP_READ, by read() with the sysctl on, and by PAGEMAP_SCAN.
 */
#ifndef SELFTESTS_LOOKUP_H
#define SELFTESTS_LOOKUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/pagemap/source.h"

/* PAGEMAP_READ, again and again until @pages are done or there are no more. */
long pagemap_bulk_read(int fd, const void *addr, __u64 *entries, size_t pages,
		       __u64 flags);

/* read() with the sysctl on, which is off before and afterwards. */
long pagemap_sysctl_read(int fd, const void *addr, __u64 *entries, size_t pages);

/*
 * PAGEMAP_SCAN with PM_SCAN_* @flags: the PAGE_IS_* of each page, 0 where it
 * reports none. All return the number of pages, or a negative errno.
 */
long pagemap_scan_pages(int fd, const void *addr, __u16 *categories, size_t pages,
			__u64 flags);

struct lookup {
	__u64 *bulk, *sysctl;
	__u16 *scan;
	size_t pages;
	void *map;
	size_t bytes;
};

/* Memory for that of many pages. Returns 0 or a negative errno. */
int lookup_alloc(struct lookup *l, size_t pages);

/* Also of one that is all zeroes. */
void lookup_free(struct lookup *l);

/*
 * Asks in all three ways about pages from @addr on; asks nothing where /proc is
 * itself what is under test. Returns 0 or a negative errno.
 */
int lookup_range(struct lookup *l, const struct source *src, const void *addr,
		 size_t pages);

/* Whether all of them say of page @i what @entry says; if not, how, in words. */
bool lookup_agrees(const struct lookup *l, size_t i, __u64 entry, char *buf,
		   size_t size);

#endif
