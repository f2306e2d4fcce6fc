// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mman.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/exclusive/crosscheck.h"
#include "lib/exclusive/kinds.h"
#include "lib/memory/hugetlb.h"
#include "lib/memory/ksm.h"
#include "lib/memory/thp.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define HUGE_PAGES	2	/* in the pool */

enum step {
	PAGE_OUT	= 1 << 0,
	SHARE		= 1 << 1,	/* without it, MADV_DONTFORK */
	SHARE_HALF	= 1 << 2,	/* MADV_DONTFORK of the first half of each 2 MiB */
	WRITE_AFTER	= 1 << 3,	/* by the parent, after the fork */
	MOVE		= 1 << 4,	/* by mremap */
	FORBID		= 1 << 5,	/* PROT_NONE */
	PIN		= 1 << 6,
	MERGE		= 1 << 7,	/* by KSM */
};

static int map_zero(struct region *r, size_t pages)
{
	int err = region_map_apart(r, pages);

	if (err)
		return err;
	return madvise(r->addr, pages * PAGE_BYTES, MADV_POPULATE_READ) ? -errno : 0;
}

static int map_memfd(struct region *r, size_t pages)
{
	int err = region_map_memfd(r, pages);

	if (!err)
		region_fill(r);
	return err;
}

/* Private pages of a file, read and not written. */
static int map_file_private(struct region *r, size_t pages)
{
	struct region file;
	int err = map_memfd(&file, pages) ?: region_map_view(r, &file, 0, pages, MAP_PRIVATE);

	if (err)
		return err;
	region_unmap(&file);
	return madvise(r->addr, pages * PAGE_BYTES, MADV_POPULATE_READ) ? -errno : 0;
}

static int map_file_private_written(struct region *r, size_t pages)
{
	int err = map_file_private(r, pages);

	if (!err)
		region_fill(r);
	return err;
}

static int map_thp(struct region *r, size_t pages)
{
	return thp_map(r, pages / PMD_PAGES);
}

/* A change of protection of one page splits each PMD. */
static int map_thp_by_ptes(struct region *r, size_t pages)
{
	size_t i;
	int err = map_thp(r, pages);

	for (i = 0; i < pages && !err; i += PMD_PAGES)
		if (mprotect(region_page(r, i), PAGE_BYTES, PROT_READ) ||
		    mprotect(region_page(r, i), PAGE_BYTES, PROT_READ | PROT_WRITE))
			err = -errno;
	return err;
}

static int map_equal(struct region *r, size_t pages)
{
	int err = region_map_apart(r, pages);

	if (err)
		return err;
	memset(r->addr, 0x5a, pages * PAGE_BYTES);
	return madvise(r->addr, pages * PAGE_BYTES, MADV_MERGEABLE) ? -errno : 0;
}

const struct kind memory_kinds[KINDS] = {
	{ "own", region_map_filled, 30000, 0, EX_OWN },
	{ "shared", region_map_filled, 10000, SHARE, EX_PRESENT },
	{ "copied on write", region_map_filled, 10000, SHARE | WRITE_AFTER, EX_OWN },
	{ "in swap", region_map_filled, 10000, PAGE_OUT, EX_SWAP | EX_EXCLUSIVE },
	{ "in swap, shared", region_map_filled, 5000, PAGE_OUT | SHARE, EX_SWAP },
	{ "zero pages", map_zero, 10000, 0, EX_PRESENT },
	{ "nothing", region_map_apart, 5000, 0, 0 },
	{ "memfd", map_memfd, 10000, 0, EX_PRESENT | EX_FILE | EX_WRITABLE },
	{ "file, private", map_file_private, 2500, 0, EX_PRESENT | EX_FILE },
	{ "file, private copies", map_file_private_written, 2500, 0, EX_OWN },
	{ "THP", map_thp, 16 * PMD_PAGES, 0, EX_OWN },
	{ "THP, shared", map_thp, 4 * PMD_PAGES, SHARE, EX_PRESENT },
	{ "THP by PTEs", map_thp_by_ptes, 4 * PMD_PAGES, 0, EX_OWN },
	{ "THP, half shared", map_thp, 2 * PMD_PAGES, SHARE_HALF, EX_OWN },
	{ "hugetlb", hugetlb_map, 2 * PMD_PAGES, 0, EX_OWN },
	{ "merged", map_equal, 2000, MERGE, EX_PRESENT | EX_KSM },
	{ "moved", region_map_filled, 2000, MOVE, EX_OWN },
	{ "forbidden", region_map_filled, 1000, FORBID, EX_PRESENT | EX_EXCLUSIVE },
	{ "pinned", region_map_filled, 500, PIN, EX_OWN | EX_MAYBE_PINNED },
};

__u64 kind_state(const struct kind *k, size_t i)
{
	if (k->steps & SHARE_HALF && i % PMD_PAGES >= PMD_PAGES / 2)
		return EX_PRESENT;
	return k->state;
}

static int keep_from_child(const struct region *r, unsigned int steps)
{
	size_t i;
	int err = 0;

	if (steps & SHARE)
		return 0;
	if (!(steps & SHARE_HALF))
		return madvise(r->addr, r->pages * PAGE_BYTES, MADV_DONTFORK);
	for (i = 0; i < r->pages && !err; i += PMD_PAGES)
		err = madvise(region_page(r, i), PMD_BYTES / 2, MADV_DONTFORK);
	return err;
}

int kind_make(const struct kind *k, struct region *r, struct kinds_state *state)
{
	size_t bytes = k->pages * PAGE_BYTES;
	int err = 0;

	if (k->map == hugetlb_map)
		err = hugetlb_reserve(&state->huge_pages, HUGE_PAGES);
	err = err ?: k->map(r, k->pages);
	if (err)
		return err;
	if (k->steps & PAGE_OUT && region_pageout(r))
		return -EBUSY;
	if (k->steps & MOVE && region_move(r))
		return -ENOMEM;
	if (k->steps & FORBID && mprotect(r->addr, bytes, PROT_NONE))
		return -errno;
	if (k->steps & PIN && pin_take(&state->pin, r->addr, r->pages, PIN_WRITE))
		return -EBUSY;
	if (k->steps & MERGE && (ksm_start(&state->ksm) || ksm_wait(2)))
		return -ETIMEDOUT;
	return keep_from_child(r, k->steps) ? -errno : 0;
}

void kind_after_fork(const struct kind *k, struct region *r)
{
	if (k->steps & WRITE_AFTER)
		region_fill(r);
}

int kinds_unmake(struct kinds_state *state)
{
	int err = pin_release(&state->pin);

	return ksm_stop(&state->ksm) ?: setting_restore(&state->huge_pages) ?: err;
}
