/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mapped memory whose pages differ in their contents (pattern.h), and the state of the
 * pages by means other than pagemap.
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
	__u64 *ids;		/* ids of single pages; 0: the region's */
};

/* State of a page in the file's page cache, by cachestat(2). */
enum page_state { PAGE_ABSENT, PAGE_RESIDENT, PAGE_SWAPPED };

/* Functions of type int return 0 or a negative errno. */

/* mmap(2) of @pages pages of @fd, from its page @first on, with a new identity. */
int region_map(struct region *r, void *at, size_t pages, int flags, int fd,
	       __u64 first);
int region_map_private_anon(struct region *r, size_t pages);
/* The same as a VMA of its own, that merges with no neighbour; and with all pages written. */
int region_map_apart(struct region *r, size_t pages);
int region_map_filled(struct region *r, size_t pages);

int region_map_shared_anon(struct region *r, size_t pages);
int region_map_memfd(struct region *r, size_t pages);

/* Another mapping of @pages pages of @of, from its page @skip on. */
int region_map_view(struct region *r, const struct region *of, size_t skip,
		    size_t pages, int flags);

/* To another address, by mremap(2). */
int region_move(struct region *r);

/* Some of its pages; must not be freed. */
struct region region_part(const struct region *r, size_t from, size_t pages);

/* A PMD-aligned address of @bytes that are not mapped, or NULL. */
void *region_find_aligned(size_t bytes);

/* Opens the file of a mapping, by /proc/self/map_files. */
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

/* Number of pages whose contents differ from those written; reads all pages. */
size_t region_damaged(const struct region *r);

/* A page's state, or a negative errno. */
int region_state(const struct region *r, size_t i);

/* The state of each page: PAGE_ABSENT for memory without a file. */
int region_states(const struct region *r, unsigned char *states);

/* Number of pages in @state, or a negative errno. */
long region_count(const struct region *r, enum page_state state);

/*
 * MADV_PAGEOUT until no page is left in memory. Returns the number of pages left, or a
 * negative errno.
 */
long region_pageout(const struct region *r);
long region_pageout_pages(const struct region *r, size_t from, size_t pages);

/* The same by memory.reclaim of the cgroup that the pages are charged to. */
long region_reclaim(const struct region *r, const struct cgroup *cg);

/* Drains the CPUs' folio batches, which hold references to pages. */
void region_drain_batches(void);

#endif
