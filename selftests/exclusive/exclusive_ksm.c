// SPDX-License-Identifier: GPL-2.0
/*
 * KSM merges equal pages into one that is read-only. A KSM page never has the bit, and a
 * pinned page is not merged.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 10

#define MERGED (EX_PRESENT | EX_KSM)

FIXTURE(exclusive_ksm) {
	struct region one, two;	/* the same bytes in both */
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	struct ksm ksm;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_ksm)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_apart(&self->one, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->two, PAGES));
	self->two.id = self->one.id;
	region_fill(&self->one);
	region_fill(&self->two);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	ASSERT_EQ(0, madvise(self->one.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->two.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
}

FIXTURE_TEARDOWN(exclusive_ksm)
{
	EXPECT_EQ(0, ksm_stop(&self->ksm));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->one);
	region_free(&self->two);
	kpage_close(&self->kp);
}

static int merge(struct ksm *ksm)
{
	int err = ksm_start(ksm) ?: ksm_wait(2);

	region_drain_batches();
	return err;
}

TEST_F(exclusive_ksm, merged_pages_have_no_bit)
{
	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->one, self->frames);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->one, MERGED, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->two, MERGED, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->two, self->frames));
	EXPECT_EQ(PAGES, summary_value(&self->ex, self->one.addr, "ksm"));
}

TEST_F(exclusive_ksm, writer_gets_a_page_of_its_own)
{
	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->one, self->frames);
	ASSERT_EQ(0, ksm_pause());
	region_fill(&self->two);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->one, MERGED, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->two, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->one, self->frames));
	EXPECT_EQ(0, frames_kept(&self->ex, &self->two, self->frames));
}

/* MADV_UNMERGEABLE makes exclusive copies without a write; they may be read-only. */
TEST_F(exclusive_ksm, unmerged_pages_are_exclusive)
{
	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->one, self->frames);
	ASSERT_EQ(0, madvise(self->one.addr, PAGES * PAGE_BYTES, MADV_UNMERGEABLE));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, self->one.addr, PAGES,
					 EX_STATE & ~EX_WRITABLE, EX_PRESENT | EX_EXCLUSIVE));
	EXPECT_EQ(0, frames_kept(&self->ex, &self->one, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->two, MERGED, 1));
	EXPECT_EQ(0, region_damaged(&self->one));
}

TEST_F(exclusive_ksm, pinned_page_is_not_merged)
{
	unsigned char content[PAGE_BYTES];
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, self->two.addr, 1, PIN_WRITE));
	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->two, self->frames);
	EXPECT_EQ(EX_OWN | EX_MAYBE_PINNED,
		  exclusive_at(&self->ex, self->two.addr) & EX_STATE &
		  (EX_OWN | EX_MAYBE_PINNED | EX_KSM));
	EXPECT_EQ(PAGES - 1, exclusive_count(&self->ex, self->two.addr, PAGES, EX_KSM, EX_KSM));
	self->two.id = pattern_new_id();
	region_fill_page(&self->two, 0);
	ASSERT_EQ(0, pin_read(&pin, content));
	EXPECT_TRUE(pattern_matches(content, self->two.id, 0));
	EXPECT_EQ(self->frames[0], frame_at(&self->ex, self->two.addr));
	EXPECT_EQ(0, pin_release(&pin));
}

/* A long-term pin replaces a merged page first, even if it is for reading. */
TEST_F(exclusive_ksm, pin_of_a_merged_page_unshares_it)
{
	struct pin pin;

	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->one, self->frames);
	ASSERT_EQ(0, ksm_pause());
	ASSERT_EQ(0, pin_take(&pin, self->two.addr, PAGES, 0));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->two,
					  EX_PRESENT | EX_EXCLUSIVE | EX_MAYBE_PINNED, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->one, MERGED, 1));
	EXPECT_EQ(0, pin_release(&pin));
}

TEST_F(exclusive_ksm, fork_shares_merged_pages)
{
	ASSERT_EQ(0, merge(&self->ksm));
	frames_note(&self->ex, &self->one, self->frames);
	ASSERT_EQ(0, ksm_pause());
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->one, MERGED, 4));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, &self->two, MERGED, 4));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_HARNESS_MAIN
