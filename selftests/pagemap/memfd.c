// SPDX-License-Identifier: GPL-2.0
/* memfd: swapped pages among pages in each other state. */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 1100	/* spans more than two page tables */

FIXTURE(memfd) {
	struct region region;
	struct source src;
};

FIXTURE_SETUP(memfd)
{
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(memfd)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

/* stock: nothing */
TEST_F(memfd, every_page_swapped)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "memfd");
	EXPECT_EQ(PAGES, s.due);
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* stock: passes: present entries are the same */
TEST_F(memfd, resident_pages_are_as_in_proc)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.due);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(memfd, never_written_pages_stay_nothing)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

/* Swapped, resident and never written pages are neighbours. */
TEST_F(memfd, every_third_page_written)
{
	struct survey s;
	size_t i;

	for (i = 0; i < PAGES; i += 3)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	for (i = 0; i < PAGES; i += 6)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, i),
					    self->region.id, i));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ((PAGES + 2) / 3 - (PAGES + 5) / 6, s.located);
	EXPECT_EQ(s.due, s.located);
	EXPECT_EQ((PAGES + 5) / 6, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(memfd, every_second_page_written)
{
	struct survey s;
	size_t i;

	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES / 2, s.located);
	EXPECT_EQ(PAGES / 2, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

/* Each page is in another page table. */
TEST_F(memfd, every_513th_page_written)
{
	struct survey s;
	size_t i;

	for (i = 0; i < PAGES; i += 513)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ((PAGES + 512) / 513, s.located);
	EXPECT_EQ(s.due, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* In the page cache, not in the page table, not in swap. */
TEST_F(memfd, unmapped_but_resident_pages_stay_nothing)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_RESIDENT));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

/* Zapping frees the page tables themselves. */
TEST_F(memfd, swapped_and_zapped)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* A second mapping of a part, whose pages are never touched. */
TEST_F(memfd, mapped_after_it_was_swapped)
{
	struct region view;
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, region_map_view(&view, &self->region, 77, 700, MAP_SHARED));
	ASSERT_EQ(0, survey_region(&self->src, &view, &s));
	EXPECT_EQ(700, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_unmap(&view);
}

TEST_F(memfd, punched_and_truncated_pages_are_gone)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, fallocate(self->region.fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       100 * PAGE_BYTES, 50 * PAGE_BYTES));
	ASSERT_EQ(0, ftruncate(self->region.fd, 1000 * PAGE_BYTES));
	ASSERT_EQ(950, region_count(&self->region, PAGE_SWAPPED));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(950, s.located);
	EXPECT_EQ(PAGES - 950, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(memfd, seek_data_agrees)
{
	struct survey s;
	size_t i;

	for (i = 10; i < 20; i++)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	EXPECT_EQ(10 * PAGE_BYTES, lseek(self->region.fd, 0, SEEK_DATA));
	EXPECT_EQ(20 * PAGE_BYTES,
		  lseek(self->region.fd, 10 * PAGE_BYTES, SEEK_HOLE));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(10, s.located);
	EXPECT_EQ(PAGES - 10, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

TEST_HARNESS_MAIN
