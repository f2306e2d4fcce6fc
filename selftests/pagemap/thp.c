// SPDX-License-Identifier: GPL-2.0
/*
 * Large folios swapped out whole: one page cache entry stands for many pages in
 * consecutive slots.
 */
#include <fcntl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	(4 * PMD_PAGES)

FIXTURE(thp) {
	struct largefile file;
	struct cgroup cg;
	struct region region;
	struct source src;
};

FIXTURE_VARIANT(thp) {
	size_t folio_pages;
};

FIXTURE_VARIANT_ADD(thp, pmd) {
	.folio_pages = PMD_PAGES,
};

FIXTURE_VARIANT_ADD(thp, order_4) {
	.folio_pages = 16,
};

FIXTURE_SETUP(thp)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, largefile_map(&self->file, &self->region, variant->folio_pages, PAGES));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(thp)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, largefile_remove(&self->file));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* Returns the number of folios swapped out whole, by the kernel's statistics. */
static long long swap_out_whole(const struct region *r, const struct largefile *file)
{
	long long before = largefile_swapped(file);

	return region_pageout(r) ? -1 : largefile_swapped(file) - before;
}

TEST_F(thp, present_as_in_proc)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.mistaken);
}

/* stock[pmd]: nothing */
TEST_F(thp, swapped_whole_in_consecutive_slots)
{
	size_t i, jumps = 0;
	__u64 entries[PAGES];
	struct survey s;

	EXPECT_EQ((long long)(PAGES / variant->folio_pages),
		  swap_out_whole(&self->region, &self->file));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "large folios");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, entries, PAGES));
	for (i = 1; i < PAGES; i++)
		if (i % variant->folio_pages &&
		    pm_swap_offset(entries[i]) != pm_swap_offset(entries[i - 1]) + 1)
			jumps++;
	EXPECT_EQ(0, jumps);
}

TEST_F(thp, reads_starting_inside_an_entry)
{
	static const size_t starts[] = { 1, 15, 17, 300, 511, 513, 1023, 1500 };
	__u64 whole[PAGES], part[PAGES];
	size_t i, len;

	EXPECT_LT(0, swap_out_whole(&self->region, &self->file));
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, whole, PAGES));
	EXPECT_EQ(PAGES, (size_t)count_entries(self->src.fd, self->region.addr, PAGES,
					       PM_SWAP | PM_FILE));
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (len = 1; len <= PAGES - starts[i]; len = len * 3 + 1) {
			ASSERT_EQ((long)len,
				  pagemap_read(self->src.fd,
					       region_page(&self->region, starts[i]),
					       part, len));
			EXPECT_EQ(0, memcmp(part, whole + starts[i],
					    len * PM_ENTRY_BYTES))
				TH_LOG("%zu entries from %zu on", len, starts[i]);
		}
	}
}

static void survey_view(struct __test_metadata *_metadata, const struct source *src,
			const struct region *of, size_t skip, size_t pages, int flags)
{
	struct region view;
	struct survey s;

	ASSERT_EQ(0, region_map_view(&view, of, skip, pages, flags));
	ASSERT_EQ(0, survey_region(src, &view, &s));
	EXPECT_EQ(pages, s.located)
		TH_LOG("%zu pages mapped from %zu on", pages, skip);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "view");
	region_unmap(&view);
}

TEST_F(thp, mappings_starting_inside_an_entry)
{
	const struct region *r = &self->region;

	EXPECT_LT(0, swap_out_whole(r, &self->file));
	survey_view(_metadata, &self->src, r, 1, 1, MAP_SHARED);
	survey_view(_metadata, &self->src, r, 7, 3, MAP_SHARED);
	survey_view(_metadata, &self->src, r, 100, 1000, MAP_SHARED);
	survey_view(_metadata, &self->src, r, 511, 2, MAP_PRIVATE);
	survey_view(_metadata, &self->src, r, 777, PAGES - 777, MAP_PRIVATE);
}

/*
 * Swap-in reads a single page and splits its entry. The other pages keep their
 * slots.
 */
TEST_F(thp, one_page_of_each_touched)
{
	static const size_t touched[] = { 3, 600, 1024, 2047 };
	struct survey s;
	size_t i;

	EXPECT_LT(0, swap_out_whole(&self->region, &self->file));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	for (i = 0; i < ARRAY_SIZE(touched); i++)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, touched[i]),
					    self->region.id, touched[i]));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES - ARRAY_SIZE(touched), s.located);
	EXPECT_EQ(ARRAY_SIZE(touched), s.present);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after a touch");
}

/* Ranges partly in swap are collapsed into large folios. */
TEST_F(thp, collapsed_when_partly_swapped)
{
	struct survey s;

	EXPECT_LT(0, swap_out_whole(&self->region, &self->file));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_TRUE(pattern_matches(region_page(&self->region, 700),
				    self->region.id, 700));
	EXPECT_LT(0, region_count(&self->region, PAGE_RESIDENT));
	EXPECT_LT(PAGES - PMD_PAGES, (size_t)region_count(&self->region, PAGE_SWAPPED));
	ASSERT_EQ(0, collapse(region_page(&self->region, PMD_PAGES)));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES - PMD_PAGES, s.located);
	EXPECT_EQ(PMD_PAGES, s.present);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after a collapse");
}

/* A hole in the middle of an entry frees only the slots of its pages. */
TEST_F(thp, hole_punched_inside_an_entry)
{
	struct survey s;

	EXPECT_LT(0, swap_out_whole(&self->region, &self->file));
	ASSERT_EQ(0, fallocate(self->region.fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       515 * PAGE_BYTES, 10 * PAGE_BYTES));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ((long)s.due, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(s.due, s.located);
	EXPECT_LT(PAGES / 2, s.located);
	EXPECT_LE(10, s.nothing);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after a punch");
}

TEST_HARNESS_MAIN
