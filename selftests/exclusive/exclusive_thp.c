// SPDX-License-Identifier: GPL-2.0
/*
 * A THP mapped by a PMD has one bit, that of its first page. If fork or a write treats its
 * pages differently, the PMD is split and each page gets a bit.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	PMD_PAGES
#define PINNED	100	/* page that is pinned, or written */

FIXTURE(exclusive_thp) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	struct pin pin;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_thp)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, thp_map(&self->region, 1));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_thp)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_thp, whole_page_is_exclusive)
{
	struct region *r = &self->region;

	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_thp, fork_shares_the_whole_page)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
	EXPECT_EQ(PAGES, thp_count(&self->other, r, EX_SHAPE));
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* The written page is copied; the others stay shared, mapped by PTEs. */
TEST_F(exclusive_thp, write_after_fork_splits_the_pmd)
{
	struct region *r = &self->region;
	struct region written = *r;
	__u64 entry;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	written.id = pattern_new_id();
	region_fill_page(&written, PINNED);
	EXPECT_EQ(PAGES - 1, thp_count(&self->ex, r, EX_LARGE));
	EXPECT_EQ(PAGES - 1, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES - 1, frames_kept(&self->ex, r, self->frames));
	entry = exclusive_at(&self->ex, region_page(r, PINNED));
	EXPECT_EQ(EX_OWN, entry & (EX_STATE | EX_SHAPE));
	EXPECT_EQ(PAGES, thp_count(&self->other, r, EX_SHAPE));
	entry = exclusive_at(&self->other, region_page(r, PINNED));
	EXPECT_EQ(EX_PRESENT, entry & EX_STATE);
	EXPECT_EQ(1, ex_map_count(entry));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/*
 * Pins are counted by folio: with one page pinned, fork shares none. It splits the PMD and
 * copies each page.
 */
TEST_F(exclusive_thp, fork_of_a_pinned_thp_splits_the_pmd_and_copies)
{
	struct region *r = &self->region;
	unsigned char content[PAGE_BYTES];

	ASSERT_EQ(0, pin_take(&self->pin, region_page(r, PINNED), 1, PIN_WRITE));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE,
					 EX_OWN | EX_MAYBE_PINNED));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_LARGE));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r,
					  EX_OWN | EX_MAYBE_PINNED, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->other, r->addr, PAGES,
					 EX_PRESENT | EX_EXCLUSIVE | EX_MAYBE_PINNED | EX_SHAPE,
					 EX_PRESENT | EX_EXCLUSIVE));
	r->id = pattern_new_id();
	region_fill(r);
	ASSERT_EQ(0, pin_read(&self->pin, content));
	EXPECT_TRUE(pattern_matches(content, r->id, PINNED));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* Fork after the pin is released shares the folio by its PMD. */
TEST_F(exclusive_thp, no_pin_is_told_once_it_is_released)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, pin_take(&self->pin, region_page(r, PINNED), 1, PIN_WRITE));
	ASSERT_EQ(0, pin_release(&self->pin));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, thp_count(&self->other, r, EX_SHAPE));
}

TEST_HARNESS_MAIN
