// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/memory/region.h"
#include "lib/pagemap/shmemscan.h"
#include "xpagemap.h"

/* True if @next goes on where @last ends, and should be part of it. */
static bool is_same_run(const struct shmem_region *last, const struct shmem_region *next)
{
	__u64 pages = (last->end - last->start) / PAGE_BYTES;

	return last->end == next->start && last->categories == next->categories &&
	       (!(last->categories & SHMEM_IS_SWAPPED) ||
		last->location + (pages << PM_SWAP_OFFSET_SHIFT) == next->location);
}

/* Stores the pages of a region. Returns their number, or 0 if no file can have it. */
static size_t store(const struct shmem_region *g, size_t first, struct shmemscan_page *out)
{
	bool swapped = g->categories & SHMEM_IS_SWAPPED;
	size_t pages = (g->end - g->start) / PAGE_BYTES, i;
	__u64 index = g->start / PAGE_BYTES;

	if (g->start % PAGE_BYTES || g->end % PAGE_BYTES || !g->categories ||
	    !shmemscan_is_possible(g->categories) || swapped != !!g->location)
		return 0;
	for (i = 0; i < pages; i++)
		out[index - first + i] = (struct shmemscan_page){
			.categories = g->categories,
			.location = swapped ? g->location + (i << PM_SWAP_OFFSET_SHIFT) : 0,
		};
	return pages;
}

/* Stores the regions of one call. Returns 0 or -EPROTO. */
static int store_all(const struct shmem_region *regions, int count, bool moving,
		     const struct shmem_scan_arg *arg, size_t first, struct shmemscan_page *out)
{
	__u64 at = arg->start, pages = 0;
	size_t stored;
	int i;

	if (arg->walk_end <= arg->start || arg->walk_end > arg->end)
		return -EPROTO;
	for (i = 0; i < count; i++) {
		if (regions[i].start < at || regions[i].end <= regions[i].start ||
		    regions[i].end > arg->walk_end)
			return -EPROTO;
		if (i && !moving && is_same_run(&regions[i - 1], &regions[i]))
			return -EPROTO;
		stored = store(&regions[i], first, out);
		if (!stored)
			return -EPROTO;
		pages += stored;
		at = regions[i].end;
	}
	return pages == arg->pages ? 0 : -EPROTO;
}

static int scan(int fd, size_t first, size_t pages, size_t room, bool moving,
		struct shmemscan_page *out)
{
	struct shmem_region *regions = calloc(room, sizeof(*regions));
	struct shmem_scan_arg arg = {
		.size = sizeof(arg),
		.flags = SHMEM_SCAN_LOCATION,
		.start = first * PAGE_BYTES,
		.end = (first + pages) * PAGE_BYTES,
		.vec = (unsigned long)regions,
		.vec_len = room,
	};
	int count, err = regions ? 0 : -ENOMEM;

	memset(out, 0, pages * sizeof(*out));
	for (; !err && arg.start < arg.end; arg.start = arg.walk_end) {
		count = ioctl(fd, SHMEM_SCAN, &arg);
		err = count < 0 ? -errno : store_all(regions, count, moving, &arg, first, out);
	}
	free(regions);
	return err;
}

int shmemscan_pages(int fd, size_t first, size_t pages, size_t room,
		    struct shmemscan_page *out)
{
	return scan(fd, first, pages, room, false, out);
}

int shmemscan_moving_pages(int fd, size_t first, size_t pages, size_t room,
			   struct shmemscan_page *out)
{
	return scan(fd, first, pages, room, true, out);
}
