/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stretch of mapped memory whose pages can be told apart by their bytes, and
 * what the kernel says of them by means other than pagemap.
 */
#ifndef SELFTESTS_REGION_H
#define SELFTESTS_REGION_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/system/cgroup.h"

#define PAGE_BYTES	4096UL
#define PMD_BYTES	(2UL << 20)
#define PMD_PAGES	(PMD_BYTES / PAGE_BYTES)

struct region {
	unsigned char *addr;
	size_t pages;
	int fd;			/* the shmem file behind it, or -1 */
	__u64 first;		/* the file's page at addr */
	bool private;
	__u64 id;		/* of the contents, see pattern.h */
	__u64 *ids;		/* per page, nonzero where it is not the region's */
};

/* What is where, from the file's page cache: cachestat(2). */
enum page_state { PAGE_ABSENT, PAGE_RESIDENT, PAGE_SWAPPED };

/* What returns an int returns 0 or a negative errno. */

/* mmap(2) of @pages pages of @fd, from its page @first on, with a new identity. */
int region_map(struct region *r, void *at, size_t pages, int flags, int fd,
	       __u64 first);
int region_map_private_anon(struct region *r, size_t pages);
/* The same as a VMA of its own, that merges with no neighbour; and with all pages written. */
int region_map_apart(struct region *r, size_t pages);
int region_map_filled(struct region *r, size_t pages);

int region_map_shared_anon(struct region *r, size_t pages);
int region_map_memfd(struct region *r, size_t pages);

/* Another mapping of @pages of @of, from its page @skip on, wherever it fits. */
int region_map_view(struct region *r, const struct region *of, size_t skip,
		    size_t pages, int flags);

/* To another address, by mremap(2). */
int region_move(struct region *r);

/* Some of its pages. Not to be freed. */
struct region region_part(const struct region *r, size_t from, size_t pages);

/* A PMD-aligned address with nothing at it for @bytes. NULL if there is none. */
void *region_find_aligned(size_t bytes);

/* Opens the file behind a mapping that has no descriptor. */
int region_open_file(const void *addr, size_t bytes);

void region_unmap(struct region *r);

/* Unmaps, and closes the file. */
void region_free(struct region *r);

static inline unsigned char *region_page(const struct region *r, size_t i)
{
	return r->addr + i * PAGE_BYTES;
}

__u64 region_id(const struct region *r, size_t i);
void region_fill(struct region *r);
void region_fill_page(struct region *r, size_t i);

/* Pages whose bytes in memory are not what was written; reads them all. */
size_t region_damaged(const struct region *r);

/* A page's state, or a negative errno. */
int region_state(const struct region *r, size_t i);

/* The state of every page. Memory without a file is always absent. */
int region_states(const struct region *r, unsigned char *states);

/* Number of pages in @state, or a negative errno. */
long region_count(const struct region *r, enum page_state state);

/*
 * MADV_PAGEOUT until nothing is left in memory. Returns the number of pages
 * that would not go, or a negative errno.
 */
long region_pageout(const struct region *r);
long region_pageout_pages(const struct region *r, size_t from, size_t pages);

/* The same through memory.reclaim of the cgroup that the pages are charged to. */
long region_reclaim(const struct region *r, const struct cgroup *cg);

/* Lets go of what the CPUs' batches hold: each is a reference to a page. */
void region_drain_batches(void);

#endif
