// SPDX-License-Identifier: GPL-2.0
/*
 * A split of a large folio's mapping, or of the folio, keeps the bits; a collapse makes a
 * new folio that is exclusive.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES PMD_PAGES

FIXTURE(exclusive_split) {
	struct region region;
	struct exclusive ex;
	struct kpage kp;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_split)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, thp_map(&self->region, 1));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_split)
{
	EXPECT_EQ(0, exclusive_close(&self->ex));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_split, unmapping_a_part_keeps_the_other_bits)
{
	struct region rest = region_part(&self->region, 10, PAGES - 10);

	ASSERT_EQ(0, munmap(self->region.addr, 10 * PAGE_BYTES));
	EXPECT_EQ(PAGES - 10, thp_count(&self->ex, &rest, EX_LARGE));
	EXPECT_EQ(PAGES - 10, crosscheck_count(&self->ex, &self->kp, &rest, EX_OWN, 1));
	EXPECT_EQ(PAGES - 10, frames_kept(&self->ex, &rest, self->frames + 10));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_split, split_folio_keeps_every_bit)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, thp_split(r));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, 0));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_split, collapsed_again_it_is_one_exclusive_page)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, thp_split(r));
	ASSERT_EQ(0, thp_collapse(r, 0));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* A pinned folio cannot be split. */
TEST_F(exclusive_split, pinned_folio_is_left_whole)
{
	struct region *r = &self->region;
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, region_page(r, 7), 1, PIN_WRITE));
	thp_split(r);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES,
					 EX_STATE | EX_LARGE,
					 EX_OWN | EX_MAYBE_PINNED | EX_LARGE));
	EXPECT_EQ(0, pin_release(&pin));
	ASSERT_EQ(0, thp_split(r));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, 0));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_HARNESS_MAIN
