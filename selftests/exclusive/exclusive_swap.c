// SPDX-License-Identifier: GPL-2.0
/*
 * Swap-out moves the bit to the swap entry, as its exclusive mark, and swap-in back to the
 * page. Fork clears the mark in both processes.
 */
#include <linux/mman.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 40

#define MARKED (EX_SWAP | EX_EXCLUSIVE)

FIXTURE(exclusive_swap) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
};

FIXTURE_SETUP(exclusive_swap)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	ASSERT_EQ(0, region_pageout(&self->region));
}

FIXTURE_TEARDOWN(exclusive_swap)
{
	/* Fails if it is on, as it should be. */
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

/* Reads the pages each time it is told to, and tells back if they are unchanged. */
static int read_when_told(struct child *c, void *arg)
{
	while (child_hear(c))
		if (region_damaged(arg) || !child_tell(c))
			return 1;
	return 0;
}

TEST_F(exclusive_swap, swapped_page_keeps_the_mark)
{
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, MARKED, 0));
	EXPECT_EQ(PAGES, summary_value(&self->ex, self->region.addr, "swap-private"));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_swap, read_swap_in_sets_the_bit_again)
{
	EXPECT_EQ(0, region_damaged(&self->region));
	/* The page is exclusive, so a read fault maps it writable. */
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_swap, write_swap_in_sets_the_bit_again)
{
	region_fill(&self->region);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* A page that was read ahead is in the swap cache and not mapped; its bit is clear. */
TEST_F(exclusive_swap, page_in_the_swap_cache_has_no_bit_yet)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, madvise(r->addr, PAGES * PAGE_BYTES, MADV_WILLNEED));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, MARKED, 0));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
}

TEST_F(exclusive_swap, fork_clears_the_mark_on_both_sides)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, read_when_told, r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_SWAP, 0));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_SWAP, 0));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_swap, both_sides_read_and_share_again)
{
	struct region *r = &self->region;
	__u64 frames[PAGES];

	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, read_when_told, r));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_TRUE(child_ask(&self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 2));
	frames_note(&self->ex, r, frames);
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, frames));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* The writer gets copies; the other's swap entries stay without the mark. */
TEST_F(exclusive_swap, write_swap_in_of_a_shared_page_copies)
{
	struct region *r = &self->region;
	struct region written = *r;

	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, read_when_told, r));
	written.id = pattern_new_id();
	region_fill(&written);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_SWAP, 0));
	EXPECT_TRUE(child_ask(&self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 1));
	EXPECT_EQ(0, region_damaged(&written));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* The last owner's page has no bit until it is written; that write makes no copy. */
TEST_F(exclusive_swap, last_owner_reuses_what_it_reads_back)
{
	struct region *r = &self->region;
	__u64 frames[PAGES];

	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, read_when_told, r));
	EXPECT_EQ(0, exclusive_close(&self->other));
	child_kill(&self->child);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_SWAP, 0));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 1));
	frames_note(&self->ex, r, frames);
	region_drain_batches();
	region_fill(r);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, frames));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* swapoff maps pages read-only, with the mark or without. */
TEST_F(exclusive_swap, swapoff_turns_marks_into_bits)
{
	const char *device = getenv("XPAGEMAP_SWAPDEV");
	struct region *r = &self->region, shared;

	ASSERT_EQ(0, region_map_private_anon(&shared, PAGES));
	region_fill(&shared);
	ASSERT_EQ(0, region_pageout(&shared));
	ASSERT_EQ(0, madvise(r->addr, PAGES * PAGE_BYTES, MADV_DONTFORK));
	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, read_when_told,
				     &shared));
	ASSERT_EQ(0, swapoff(device)) TH_LOG("%m");
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r,
					  EX_PRESENT | EX_EXCLUSIVE, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &shared, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, &shared, EX_PRESENT, 2));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_TRUE(child_ask(&self->child));
	ASSERT_EQ(0, swapon(device, 0)) TH_LOG("%m");
	region_free(&shared);
}

TEST_F(exclusive_swap, thp_swapped_out_keeps_a_mark_per_page)
{
	struct region r;

	ASSERT_EQ(0, thp_map(&r, 1));
	EXPECT_EQ(PMD_PAGES, crosscheck_count(&self->ex, &self->kp, &r, EX_OWN, 1));
	ASSERT_EQ(0, region_pageout(&r));
	EXPECT_EQ(PMD_PAGES, crosscheck_count(&self->ex, &self->kp, &r, MARKED, 0));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, region_damaged(&r));
	EXPECT_EQ(PMD_PAGES, crosscheck_count(&self->ex, &self->kp, &r, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
	region_free(&r);
}

TEST_HARNESS_MAIN
