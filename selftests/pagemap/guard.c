// SPDX-License-Identifier: GPL-2.0
/* Guard regions: a guard marker in the PTE hides the page, in swap or not. */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

#define PAGES	600
#define FIRST	500	/* the guarded pages span two page tables */
#define GUARDED	30

FIXTURE(guard) {
	struct region region;
	struct source src;
};

FIXTURE_VARIANT(guard) {
	int (*map)(struct region *r, size_t pages);
	bool shared;
};

FIXTURE_VARIANT_ADD(guard, private_anonymous) {
	.map = region_map_private_anon,
	.shared = false,
};

FIXTURE_VARIANT_ADD(guard, shared_anonymous) {
	.map = region_map_shared_anon,
	.shared = true,
};

FIXTURE_VARIANT_ADD(guard, memfd) {
	.map = region_map_memfd,
	.shared = true,
};

FIXTURE_SETUP(guard)
{
	ASSERT_EQ(0, variant->map(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(guard)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

static int guard(const struct region *r, int advice)
{
	return madvise(region_page(r, FIRST), GUARDED * PAGE_BYTES, advice);
}

static void expect_guards(struct __test_metadata *_metadata,
			  const struct source *src, const struct region *r)
{
	EXPECT_EQ(GUARDED, count_entries(src->fd, region_page(r, FIRST), GUARDED,
					 PM_GUARD));
	EXPECT_EQ(GUARDED, count_entries(src->fd, r->addr, PAGES, PM_GUARD));
	EXPECT_EQ(0, compare_range(src, region_page(r, FIRST), GUARDED));
}

TEST_F(guard, over_resident_pages)
{
	struct survey s;

	ASSERT_EQ(0, guard(&self->region, MADV_GUARD_INSTALL));
	expect_guards(_metadata, &self->src, &self->region);
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES - GUARDED, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(guard, over_swapped_pages)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, guard(&self->region, MADV_GUARD_INSTALL));
	expect_guards(_metadata, &self->src, &self->region);
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES - GUARDED, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* A file's pages are still in swap below the guard; private pages are gone. */
TEST_F(guard, removed_again)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, guard(&self->region, MADV_GUARD_INSTALL));
	ASSERT_EQ(0, guard(&self->region, MADV_GUARD_REMOVE));
	EXPECT_EQ(0, count_entries(self->src.fd, self->region.addr, PAGES, PM_GUARD));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(variant->shared ? PAGES : PAGES - GUARDED, s.located);
	EXPECT_EQ(variant->shared ? 0 : GUARDED, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

TEST_HARNESS_MAIN
