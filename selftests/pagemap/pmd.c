// SPDX-License-Identifier: GPL-2.0
/*
 * Ranges without a page table: where a PMD mapped a large folio, and where the
 * kernel freed an empty table.
 */

#include "lib/harness.h"
#include "lib/lib.h"

#define PMDS	8
#define PAGES	(PMDS * PMD_PAGES)

FIXTURE(pmd) {
	struct largefile file;
	struct region region;
	struct source src;
};

FIXTURE_VARIANT(pmd) {
	size_t folio_pages;	/* 1: a memfd with small folios */
};

FIXTURE_VARIANT_ADD(pmd, huge) {
	.folio_pages = PMD_PAGES,
};

FIXTURE_VARIANT_ADD(pmd, small) {
	.folio_pages = 1,
};

FIXTURE_SETUP(pmd)
{
	void *at = region_find_aligned(PAGES * PAGE_BYTES);
	int fd;

	TEARDOWN_FROM_HERE();
	ASSERT_NE(NULL, at);
	if (variant->folio_pages == 1) {
		fd = memfd_create("xpagemap-test", MFD_CLOEXEC);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE_BYTES));
	} else {
		ASSERT_EQ(0, largefile_create(&self->file, variant->folio_pages, PAGES));
		fd = self->file.fd;
	}
	ASSERT_EQ(0, region_map(&self->region, at, PAGES, MAP_SHARED | MAP_FIXED, fd, 0));
	region_fill(&self->region);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN_PARENT(pmd)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, largefile_remove(&self->file));
}

/* VmPTE of this process, in kB; a page table takes 4. */
static long long table_kb(void)
{
	return read_value("/proc/self/status", "VmPTE");
}

static void expect_all_located(struct __test_metadata *_metadata,
			       const struct source *src, const struct region *r)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(src, r, &s));
	survey_print(&s, "without page tables");
	EXPECT_EQ(r->pages, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* Swap-out leaves an empty PMD for huge folios, empty page tables for small ones. */
TEST_F(pmd, swapped_out)
{
	long long mapped_kb = read_value("/proc/self/smaps_rollup", "ShmemPmdMapped");
	long long before = table_kb();

	EXPECT_EQ(variant->folio_pages == 1 ? 0 : (long long)(PAGES * 4), mapped_kb);
	ASSERT_EQ(0, region_pageout(&self->region));
	EXPECT_GT(before + PMDS * 4, table_kb());
	expect_all_located(_metadata, &self->src, &self->region);
}

/* Zapping the whole range of a page table frees it. */
TEST_F(pmd, whole_tables_zapped)
{
	long long before = table_kb();

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, madvise(region_page(&self->region, PMD_PAGES), 6 * PMD_BYTES,
			     MADV_DONTNEED));
	ksft_print_msg("page tables: %lld kB, then %lld kB\n", before, table_kb());
	if (variant->folio_pages == 1)
		EXPECT_GE(before - 6 * 4, table_kb());
	expect_all_located(_metadata, &self->src, &self->region);
}

/* One page is read back: its page table alone exists. */
TEST_F(pmd, one_table_back)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, madvise(self->region.addr, PMDS * PMD_BYTES, MADV_DONTNEED));
	ASSERT_TRUE(pattern_matches(region_page(&self->region, 3 * PMD_PAGES + 5),
				    self->region.id, 3 * PMD_PAGES + 5));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_LE(1, s.present);
	EXPECT_EQ((long)s.located, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(s.due, s.located);
	EXPECT_LE(PAGES - PMD_PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "one page back");
}

/* Collapsing into one folio frees the page table; then it is swapped out again. */
TEST_F(pmd, collapsed_when_partly_swapped)
{
	struct region *r = &self->region;
	struct survey s;

	ASSERT_EQ(0, region_pageout_pages(r, 2 * PMD_PAGES + 100, PAGES - 2 * PMD_PAGES - 100));
	EXPECT_LT(PAGES - 3 * PMD_PAGES, (size_t)region_count(r, PAGE_SWAPPED));
	ASSERT_EQ(0, collapse(region_page(r, 2 * PMD_PAGES)));
	ASSERT_EQ(0, survey_region(&self->src, r, &s));
	EXPECT_EQ(PAGES - 3 * PMD_PAGES, s.located);
	EXPECT_EQ(3 * PMD_PAGES, s.present);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "collapsed");
	ASSERT_EQ(0, region_pageout(r));
	expect_all_located(_metadata, &self->src, r);
	EXPECT_EQ(0, region_damaged(r));
}

TEST_HARNESS_MAIN
