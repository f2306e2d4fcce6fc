// SPDX-License-Identifier: GPL-2.0
/*
 * As shmem_scan_agrees, of files of large folios, which have large swap entries.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/agreement.h"

#define PAGES	(3 * PMD_PAGES)

FIXTURE(shmem_scan_agrees_large) {
	struct largefile file;
	struct cgroup cg;
	struct region region;
	struct source src;
};

FIXTURE_VARIANT(shmem_scan_agrees_large) {
	size_t folio_pages;
};

FIXTURE_VARIANT_ADD(shmem_scan_agrees_large, pmd) {
	.folio_pages = PMD_PAGES,
};

FIXTURE_VARIANT_ADD(shmem_scan_agrees_large, order_4) {
	.folio_pages = 16,
};

FIXTURE_SETUP(shmem_scan_agrees_large)
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
FIXTURE_TEARDOWN_PARENT(shmem_scan_agrees_large)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, largefile_remove(&self->file));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* Compares, and expects these numbers of pages. */
static void agree(struct __test_metadata *_metadata, const struct source *src,
		  const struct region *r, size_t cached, size_t swapped)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "large folios");
	EXPECT_EQ(cached, a.cached);
	EXPECT_EQ(swapped, a.swapped);
}

static void agree_and_read(struct __test_metadata *_metadata, const struct source *src,
			   const struct region *r, size_t data)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check_bytes(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "reading");
	EXPECT_EQ(data, a.data);
}

/* Swapped out as large folios, and gone from the swap cache. */
static void swap_out_whole(struct __test_metadata *_metadata, const struct largefile *file,
			   const struct region *r, const struct cgroup *cg)
{
	long long before = largefile_swapped(file);

	ASSERT_EQ(0, region_pageout(r));
	EXPECT_LT(before, largefile_swapped(file));
	ASSERT_EQ(0, cgroup_drop_swap_cache(cg));
}

TEST_F(shmem_scan_agrees_large, in_memory_and_swapped_whole)
{
	agree(_metadata, &self->src, &self->region, PAGES, 0);
	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	agree(_metadata, &self->src, &self->region, 0, PAGES);
	agree_and_read(_metadata, &self->src, &self->region, PAGES);
}

/* Scans and mappings that begin and end inside an entry. */
TEST_F(shmem_scan_agrees_large, parts_of_entries)
{
	static const struct { size_t from, pages; int flags; } part[] = {
		{ 1, 1, MAP_SHARED }, { 7, 3, MAP_SHARED }, { 100, 1000, MAP_SHARED },
		{ 511, 2, MAP_PRIVATE }, { 777, PAGES - 777, MAP_PRIVATE },
	};
	struct region view;
	size_t i;

	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		ASSERT_EQ(0, region_map_view(&view, &self->region, part[i].from, part[i].pages,
					     part[i].flags));
		agree(_metadata, &self->src, &view, 0, part[i].pages);
		region_unmap(&view);
	}
}

TEST_F(shmem_scan_agrees_large, entries_split_by_reading)
{
	static const size_t touched[] = { 3, 600, 1024, 1535 };
	struct agreement a;
	size_t i;

	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	for (i = 0; i < ARRAY_SIZE(touched); i++)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, touched[i]),
					    self->region.id, touched[i]));
	ASSERT_EQ(0, agreement_check(&self->src, &self->region, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "split by reading");
	EXPECT_LE(ARRAY_SIZE(touched), a.cached);
	EXPECT_LT(0, a.swapped);
	EXPECT_EQ(PAGES, a.cached + a.swapped);
	agree_and_read(_metadata, &self->src, &self->region, PAGES);
}

TEST_F(shmem_scan_agrees_large, holes_punched_inside_an_entry)
{
	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	ASSERT_EQ(0, fallocate(self->region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       515 * PAGE_BYTES, 10 * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, &self->region, PAGES - 10);
}

TEST_F(shmem_scan_agrees_large, truncated_inside_an_entry)
{
	size_t size = 2 * PMD_PAGES + 37;

	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	ASSERT_EQ(0, ftruncate(self->region.fd, size * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, &self->region, size);
	ASSERT_EQ(0, ftruncate(self->region.fd, PAGES * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, &self->region, size);
}

TEST_F(shmem_scan_agrees_large, collapsed_when_partly_swapped)
{
	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	ASSERT_TRUE(pattern_matches(region_page(&self->region, 700), self->region.id, 700));
	ASSERT_EQ(0, collapse(region_page(&self->region, PMD_PAGES)));
	agree(_metadata, &self->src, &self->region, PMD_PAGES, PAGES - PMD_PAGES);
	agree_and_read(_metadata, &self->src, &self->region, PAGES);
}

/* Zero pages inside an entry with data end a run. */
TEST_F(shmem_scan_agrees_large, zero_pages_inside_an_entry)
{
	struct agreement a;

	memset(region_page(&self->region, 40), 0, 8 * PAGE_BYTES);
	swap_out_whole(_metadata, &self->file, &self->region, &self->cg);
	agree(_metadata, &self->src, &self->region, 0, PAGES);
	ASSERT_EQ(0, agreement_check_bytes(&self->src, &self->region, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "reading");
	EXPECT_EQ(PAGES - 8, a.data);
}

TEST_HARNESS_MAIN
