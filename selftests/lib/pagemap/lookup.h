/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The three ways in which /proc/PID/pagemap looks up shared memory in swap: PAGEMAP_READ,
 * read() with the sysctl on, and PAGEMAP_SCAN.
 */
#ifndef SELFTESTS_LOOKUP_H
#define SELFTESTS_LOOKUP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/pagemap/source.h"

/* PAGEMAP_READ, repeated until @pages are read or there are no more. */
long pagemap_bulk_read(int fd, const void *addr, __u64 *entries, size_t pages,
		       __u64 flags);

/* read() with the sysctl on; it is off before and after. */
long pagemap_sysctl_read(int fd, const void *addr, __u64 *entries, size_t pages);

/*
 * PAGEMAP_SCAN with PM_SCAN_* @flags: the PAGE_IS_* of each page, 0 if it is not reported.
 * All return the number of pages, or a negative errno.
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

/* Allocates for @pages pages. Returns 0 or a negative errno. */
int lookup_alloc(struct lookup *l, size_t pages);

/* No effect on one that is all zeroes. */
void lookup_free(struct lookup *l);

/*
 * Reads pages from @addr on in all three ways; reads nothing if /proc/PID/pagemap is the
 * pagemap under test. Returns 0 or a negative errno.
 */
int lookup_range(struct lookup *l, const struct source *src, const void *addr,
		 size_t pages);

/* True if all three agree with @entry of page @i; if not, describes them in @buf. */
bool lookup_agrees(const struct lookup *l, size_t i, __u64 entry, char *buf,
		   size_t size);

#endif
