// SPDX-License-Identifier: GPL-2.0
/*
 * Private memory. Entries of anonymous pages must equal those in /proc; a private
 * mapping of a shmem file has the file's pages, except where it has copies.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 600

FIXTURE(private) {
	struct region file;	/* shared mapping, for writing the file */
	struct region view;	/* private mapping of the same pages */
	__u64 ids[PAGES];
	struct source src;
};

FIXTURE_SETUP(private)
{
	ASSERT_EQ(0, region_map_memfd(&self->file, PAGES));
	region_fill(&self->file);
	ASSERT_EQ(0, region_map_view(&self->view, &self->file, 0, PAGES, MAP_PRIVATE));
	self->view.ids = self->ids;
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(private)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_unmap(&self->view);
	region_free(&self->file);
}

/* stock: passes: the same comparison of bytes with the disk is sound there */
TEST_F(private, anonymous)
{
	struct region r;
	struct survey s;

	ASSERT_EQ(0, region_map_private_anon(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	survey_print(&s, "private anonymous memory");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
}

TEST_F(private, untouched_and_swapped)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->file));
	ASSERT_EQ(0, survey_region(&self->src, &self->view, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* Writes to every third page of the private mapping, which copies it. */
static void copy_every_third(struct region *view)
{
	__u64 own = pattern_new_id();
	size_t i;

	for (i = 0; i < PAGES; i += 3) {
		view->ids[i] = own;
		region_fill_page(view, i);
	}
}

TEST_F(private, copied_pages_present_others_swapped)
{
	struct survey s;

	copy_every_third(&self->view);
	ASSERT_EQ(0, region_pageout(&self->file));
	ASSERT_EQ(0, survey_region(&self->src, &self->view, &s));
	EXPECT_EQ(PAGES / 3, s.present);
	EXPECT_EQ(PAGES - PAGES / 3, s.located);
	EXPECT_EQ(0, s.mistaken);
	/* The shared mapping still has all pages of the file. */
	ASSERT_EQ(0, survey_region(&self->src, &self->file, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* A copy and its original are both in swap, in different slots. */
TEST_F(private, copied_pages_swapped_too)
{
	__u64 entries[PAGES];
	struct survey s;
	size_t i, shared = 0;

	copy_every_third(&self->view);
	ASSERT_EQ(0, region_pageout(&self->view));
	ASSERT_EQ(0, region_pageout(&self->file));
	ASSERT_EQ(0, survey_region(&self->src, &self->view, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->view.addr, entries, PAGES));
	for (i = 0; i < PAGES; i++) {
		EXPECT_TRUE(pm_is_swap(entries[i]));
		shared += !!(entries[i] & PM_FILE);
	}
	EXPECT_EQ(PAGES - PAGES / 3, shared);
	ASSERT_EQ(0, survey_region(&self->src, &self->file, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* Without the copies, the mapping has the file's pages again. */
TEST_F(private, copies_dropped)
{
	struct survey s;

	copy_every_third(&self->view);
	ASSERT_EQ(0, region_pageout(&self->view));
	ASSERT_EQ(0, region_pageout(&self->file));
	ASSERT_EQ(0, madvise(self->view.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	memset(self->ids, 0, sizeof(self->ids));
	ASSERT_EQ(0, survey_region(&self->src, &self->view, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

TEST_HARNESS_MAIN
