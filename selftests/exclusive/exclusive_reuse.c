// SPDX-License-Identifier: GPL-2.0
/*
 * A page of a large folio that no other process maps any more: a map count of 1 does not
 * tell that the next write copies nothing.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	PMD_PAGES
#define WRITTEN	9

FIXTURE(exclusive_reuse) {
	struct region region;	/* one folio, shared by a fork and not exclusive since */
	struct exclusive ex, other;
	struct child child;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_reuse)
{
	ASSERT_EQ(0, thp_map(&self->region, 1));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, exclusive_count(&self->ex, self->region.addr, PAGES, EX_EXCLUSIVE,
				     EX_EXCLUSIVE));
}

FIXTURE_TEARDOWN(exclusive_reuse)
{
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
}

static long exclusive_pages(const struct exclusive *ex, const struct region *r)
{
	return exclusive_count(ex, r->addr, r->pages, EX_EXCLUSIVE, EX_EXCLUSIVE);
}

/* Splits the PMD, and keeps the folio. */
static int map_by_ptes(const struct region *r)
{
	return mprotect(r->addr, PAGE_BYTES, PROT_READ) ||
	       mprotect(r->addr, PAGE_BYTES, PROT_READ | PROT_WRITE) ? -errno : 0;
}

/* Writes to the page. Returns true if it stays in its frame. */
static bool write_in_place(const struct exclusive *ex, struct region *r,
			   const __u64 *frames)
{
	unsigned char *page = region_page(r, WRITTEN);
	__u64 entry = exclusive_at(ex, page);

	if (ex_map_count(entry) != 1 || (entry & (EX_LARGE | EX_EXCLUSIVE)) != EX_LARGE)
		ksft_print_msg("before the write: %016llx\n", (unsigned long long)entry);
	region_fill_page(r, WRITTEN);
	return frame_at(ex, page) == frames[WRITTEN];
}

TEST_F(exclusive_reuse, mapped_by_a_pmd)
{
	EXPECT_TRUE(write_in_place(&self->ex, &self->region, self->frames));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->region, self->frames));
	EXPECT_EQ(PAGES, exclusive_pages(&self->ex, &self->region));
}

TEST_F(exclusive_reuse, mapped_by_ptes)
{
	ASSERT_EQ(0, map_by_ptes(&self->region));
	EXPECT_TRUE(write_in_place(&self->ex, &self->region, self->frames));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->region, self->frames));
	EXPECT_EQ(1, exclusive_pages(&self->ex, &self->region));
}

TEST_F(exclusive_reuse, last_page_that_is_mapped_is_copied)
{
	unsigned char *page = region_page(&self->region, WRITTEN);

	ASSERT_EQ(0, map_by_ptes(&self->region));
	ASSERT_EQ(0, madvise(self->region.addr, WRITTEN * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(page + PAGE_BYTES, (PAGES - WRITTEN - 1) * PAGE_BYTES,
			     MADV_DONTNEED));
	EXPECT_EQ(1, ex_map_count(exclusive_at(&self->ex, page)));
	EXPECT_FALSE(write_in_place(&self->ex, &self->region, self->frames));
	EXPECT_EQ(EX_EXCLUSIVE, exclusive_at(&self->ex, page) & (EX_EXCLUSIVE | EX_LARGE));
}

/* A child maps another page of the folio. */
TEST_F(exclusive_reuse, part_that_another_process_maps_makes_it_a_copy)
{
	unsigned char *page = region_page(&self->region, WRITTEN);

	ASSERT_EQ(0, madvise(page, (PAGES - WRITTEN) * PAGE_BYTES, MADV_DONTFORK));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(1, ex_map_count(exclusive_at(&self->ex, page)));
	EXPECT_FALSE(write_in_place(&self->ex, &self->region, self->frames));
	EXPECT_EQ(EX_EXCLUSIVE, exclusive_at(&self->ex, page) & (EX_EXCLUSIVE | EX_LARGE));
	EXPECT_EQ(PAGES - 1, frames_kept(&self->ex, &self->region, self->frames));
}

TEST_HARNESS_MAIN
