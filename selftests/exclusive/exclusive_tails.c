// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of a large folio that is mapped by PTEs have a bit each, and these may differ.
 * kpageflags shows the first page's for all of them.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	PMD_PAGES
#define HALF	(PAGES / 2)

/* Number of exclusive pages by kpageflags, which shows the first page's bit for all. */
static size_t exclusive_by_kpageflags(const struct kpage *kp, const __u64 *frames)
{
	size_t i, count = 0;

	for (i = 0; i < PAGES; i++)
		count += kpage_exclusive(kpage_flags(kp, frames[i]));
	return count;
}

FIXTURE(exclusive_tails) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	__u64 frames[PAGES];
};

FIXTURE_VARIANT(exclusive_tails) {
	size_t shared_from;	/* the half that fork shares */
	size_t by_kpageflags;	/* exclusive pages before the split */
};

FIXTURE_VARIANT_ADD(exclusive_tails, head_exclusive) {
	.shared_from = HALF,
	.by_kpageflags = PAGES,
};

FIXTURE_VARIANT_ADD(exclusive_tails, head_shared) {
	.shared_from = 0,
	.by_kpageflags = 0,
};

/* Fork skips one half of the folio, which stays exclusive. */
FIXTURE_SETUP(exclusive_tails)
{
	struct region kept;

	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, thp_map(&self->region, 1));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
	kept = region_part(&self->region, HALF - variant->shared_from, HALF);
	ASSERT_EQ(0, madvise(kept.addr, HALF * PAGE_BYTES, MADV_DONTFORK));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
}

FIXTURE_TEARDOWN(exclusive_tails)
{
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_tails, each_page_has_its_own_bit_whatever_kpageflags_says)
{
	const struct region *r = &self->region;
	struct region shared = region_part(r, variant->shared_from, HALF);
	struct region kept = region_part(r, HALF - variant->shared_from, HALF);

	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_LARGE));
	EXPECT_EQ(HALF, crosscheck_count(&self->ex, &self->kp, &shared, EX_PRESENT, 2));
	EXPECT_EQ(HALF, crosscheck_count(&self->ex, &self->kp, &kept, EX_OWN, 1));
	EXPECT_EQ(HALF, crosscheck_count(&self->other, &self->kp, &shared, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(variant->by_kpageflags, exclusive_by_kpageflags(&self->kp, self->frames));
	ksft_print_msg("exclusive pages: %ld of %lu, by kpageflags %zu\n",
		       exclusive_count(&self->ex, r->addr, PAGES, EX_EXCLUSIVE, EX_EXCLUSIVE),
		       PAGES, exclusive_by_kpageflags(&self->kp, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* After the split each page is a folio, and kpageflags agrees. */
TEST_F(exclusive_tails, split_folio_keeps_bits_that_differ)
{
	const struct region *r = &self->region;
	struct region shared = region_part(r, variant->shared_from, HALF);
	struct region kept = region_part(r, HALF - variant->shared_from, HALF);

	ASSERT_EQ(0, thp_split(r));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, 0));
	EXPECT_EQ(HALF, crosscheck_count(&self->ex, &self->kp, &shared, EX_PRESENT, 2));
	EXPECT_EQ(HALF, crosscheck_count(&self->ex, &self->kp, &kept, EX_OWN, 1));
	EXPECT_EQ(HALF, exclusive_by_kpageflags(&self->kp, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* A collapse copies: pages that the child shares stay. */
TEST_F(exclusive_tails, collapsed_page_is_exclusive)
{
	const struct region *r = &self->region;
	struct region shared = region_part(r, variant->shared_from, HALF);

	ASSERT_EQ(0, madvise(r->addr, PMD_BYTES, MADV_DOFORK));
	ASSERT_EQ(0, thp_split(r));
	ASSERT_EQ(0, thp_collapse(r, 0)) TH_LOG("%m");
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(HALF, frames_kept(&self->other, &shared,
				    self->frames + variant->shared_from));
	EXPECT_EQ(HALF, crosscheck_count(&self->other, &self->kp, &shared, EX_PRESENT, 1));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_HARNESS_MAIN
