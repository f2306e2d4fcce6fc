// SPDX-License-Identifier: GPL-2.0
/* UFFDIO_MOVE of THPs: it moves the PMD, or splits it to move a part. */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	PMD_PAGES
#define PART	40

FIXTURE(exclusive_move_thp) {
	struct region from, to;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	__u64 frames[PAGES];
	int uffd;
};

FIXTURE_SETUP(exclusive_move_thp)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, thp_map_empty(&self->to, 1));
	ASSERT_EQ(0, thp_map(&self->from, 1));
	self->to.id = self->from.id;
	self->uffd = uffd_watch(&self->to);
	ASSERT_LE(0, self->uffd);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->from, self->frames);
	ASSERT_EQ(PAGES, thp_count(&self->ex, &self->from, EX_SHAPE));
}

FIXTURE_TEARDOWN(exclusive_move_thp)
{
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	close(self->uffd);
	region_free(&self->from);
	region_free(&self->to);
	kpage_close(&self->kp);
}

TEST_F(exclusive_move_thp, moves_whole)
{
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(PAGES, thp_count(&self->ex, &self->to, EX_SHAPE));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->to, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, self->from.addr, PAGES, ~0ULL, 0));
	EXPECT_EQ(0, region_damaged(&self->to));
}

/* The reverse mapping finds it at its new address: it is swapped out and in. */
TEST_F(exclusive_move_thp, reclaim_finds_it_when_the_old_mapping_is_gone)
{
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	region_free(&self->from);
	ASSERT_EQ(0, region_pageout(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to,
					  EX_SWAP | EX_EXCLUSIVE, 0));
	EXPECT_EQ(0, region_damaged(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
}

TEST_F(exclusive_move_thp, moving_a_part_splits_it)
{
	struct region part = region_part(&self->from, PART, PART);
	struct region moved = region_part(&self->to, PART, PART);

	ASSERT_EQ(PART, uffd_move(self->uffd, moved.addr, part.addr, PART));
	EXPECT_EQ(PART, crosscheck_count(&self->ex, &self->kp, &moved, EX_OWN, 1));
	EXPECT_EQ(PART, thp_count(&self->ex, &moved, 0));
	EXPECT_EQ(PART, frames_kept(&self->ex, &moved, self->frames + PART));
	EXPECT_EQ(PAGES - PART, frames_kept(&self->ex, &self->from, self->frames));
	EXPECT_EQ(PAGES - PART, exclusive_count(&self->ex, self->from.addr, PAGES,
						EX_STATE | EX_SHAPE, EX_OWN));
	EXPECT_EQ(0, region_damaged(&moved));
}

TEST_F(exclusive_move_thp, shared_is_refused)
{
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(-EBUSY, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->from, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, thp_count(&self->ex, &self->from, EX_SHAPE));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_move_thp, pinned_is_refused)
{
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, region_page(&self->from, PART), 1, PIN_WRITE));
	EXPECT_EQ(-EBUSY, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->from, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, self->from.addr, PAGES, EX_STATE,
					 EX_OWN | EX_MAYBE_PINNED));
	EXPECT_EQ(0, pin_release(&pin));
	EXPECT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(0, region_damaged(&self->to));
}

TEST_HARNESS_MAIN
