// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "lib/pagemap/expected.h"
#include "lib/pagemap/lookup.h"
#include "xpagemap.h"

#define SWAP	1
#define CACHE	2
#define BOTH	(SWAP | CACHE)

struct buffers {
	__u64 *plain, *bulk, *slots;
	__u16 *scan;
	unsigned char *states;
};

__u64 expected_scan_flags(int both)
{
	return (both & SWAP ? PM_SCAN_SHMEM_SWAP : 0) |
	       (both & CACHE ? PM_SCAN_SHMEM_CACHE : 0);
}

__u64 expected_read_flags(int both)
{
	return (both & SWAP ? PM_READ_SHMEM_SWAP : 0) |
	       (both & CACHE ? PM_READ_SHMEM_CACHE : 0);
}

/* The page table has nothing, or a uffd-wp marker. */
static bool is_vacant(__u64 plain)
{
	return pm_is_nothing(plain) ||
	       (pm_is_marker(plain) && pm_swap_offset(plain) == PM_MARKER_UFFD_WP);
}

static __u16 categories_due(__u64 plain, int state, int both)
{
	__u16 due = 0;

	if (plain & PM_PRESENT)
		due |= PAGE_IS_PRESENT;
	if (plain & PM_FILE)
		due |= PAGE_IS_FILE;
	if ((plain & PM_SWAP) && (!both || !pm_is_marker(plain)))
		due |= PAGE_IS_SWAPPED;
	if (!both || !is_vacant(plain))
		return due;
	if (state == PAGE_SWAPPED && pm_is_marker(plain))
		due |= PAGE_IS_SWAPPED;
	if (state == PAGE_SWAPPED && (both & SWAP))
		due |= PAGE_IS_SWAPPED | PAGE_IS_FILE;
	if (state == PAGE_RESIDENT && (both & CACHE))
		due |= PAGE_IS_CACHED | PAGE_IS_FILE;
	return due;
}

/* @slot is the entry with PM_READ_SHMEM_SWAP alone; other tests compare it with the disk. */
static __u64 entry_due(__u64 plain, __u64 slot, int state, int both)
{
	__u64 kept = plain & (PM_SOFT_DIRTY | PM_UFFD);

	if (!is_vacant(plain))
		return plain;
	if (state == PAGE_SWAPPED && (both & SWAP))
		return kept | PM_SWAP | PM_FILE | (slot & PM_FRAME);
	if (state == PAGE_RESIDENT && (both & CACHE))
		return kept | PM_CACHED;
	return plain;
}

static void compare_page(struct expected *e, const struct buffers *b, size_t i, int both)
{
	__u16 scan = categories_due(b->plain[i], b->states[i], both);
	__u64 bulk = entry_due(b->plain[i], b->slots[i], b->states[i], both);

	if (both == BOTH && is_vacant(b->plain[i])) {
		e->swapped += !!(scan & PAGE_IS_SWAPPED);
		e->cached += !!(scan & PAGE_IS_CACHED);
	}
	if (b->scan[i] == scan && b->bulk[i] == bulk)
		return;
	if (e->wrong++)
		return;
	snprintf(e->first, sizeof(e->first),
		 "page %zu, state %d, flags %d, plain %#llx: scan %#x for %#x, read %#llx for %#llx",
		 i, b->states[i], both, (unsigned long long)b->plain[i], b->scan[i], scan,
		 (unsigned long long)b->bulk[i], (unsigned long long)bulk);
}

static int compare_all(int fd, const struct region *view, struct expected *e,
		       const struct buffers *b)
{
	long pages = view->pages;
	long i;
	int both, err;

	err = region_states(view, b->states);
	if (err)
		return err;
	if (pagemap_bulk_read(fd, view->addr, b->slots, pages, PM_READ_SHMEM_SWAP) != pages ||
	    pagemap_read(fd, view->addr, b->plain, pages) != pages)
		return -EIO;
	for (both = 0; both <= BOTH; both++) {
		if (pagemap_scan_pages(fd, view->addr, b->scan, pages,
				       expected_scan_flags(both)) != pages ||
		    pagemap_bulk_read(fd, view->addr, b->bulk, pages,
				      expected_read_flags(both)) != pages)
			return -EIO;
		for (i = 0; i < pages; i++)
			compare_page(e, b, i, both);
	}
	return 0;
}

int expected_compare(int fd, const struct region *view, struct expected *e)
{
	const size_t pages = view->pages;
	struct buffers b = {
		.plain = calloc(pages, sizeof(__u64)),
		.bulk = calloc(pages, sizeof(__u64)),
		.slots = calloc(pages, sizeof(__u64)),
		.scan = calloc(pages, sizeof(__u16)),
		.states = calloc(pages, 1),
	};
	int err = -ENOMEM;

	*e = (struct expected){ .pages = pages };
	if (b.plain && b.bulk && b.slots && b.scan && b.states)
		err = compare_all(fd, view, e, &b);
	free(b.plain);
	free(b.bulk);
	free(b.slots);
	free(b.scan);
	free(b.states);
	return err;
}
