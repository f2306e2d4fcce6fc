// SPDX-License-Identifier: GPL-2.0
/* Private hugetlb memory: a huge page has one bit, that of its first page. */
#include "lib/harness.h"
#include "lib/lib.h"

#define HUGE_PAGES	2
#define PAGES		(HUGE_PAGES * PMD_PAGES)
#define POOL_PAGES	4	/* two pages, and a copy of each */

FIXTURE(exclusive_hugetlb) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	struct setting pool;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_hugetlb)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, hugetlb_reserve(&self->pool, POOL_PAGES));
	ASSERT_EQ(0, hugetlb_map(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_hugetlb)
{
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
	EXPECT_EQ(0, setting_restore(&self->pool));
}

TEST_F(exclusive_hugetlb, new_page_is_exclusive)
{
	struct region *r = &self->region;

	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, thp_count(&self->ex, r, EX_SHAPE));
}

TEST_F(exclusive_hugetlb, fork_shares)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_hugetlb, parent_that_writes_gets_a_copy)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	region_fill(r);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_hugetlb, last_owner_reuses_the_page_when_it_writes)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 1));
	region_fill(r);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
}

/* The first huge page is pinned, by one of its pages; the second is not. */
TEST_F(exclusive_hugetlb, fork_copies_a_pinned_page_early)
{
	struct region *r = &self->region;
	struct region first = region_part(r, 0, PMD_PAGES);
	struct region second = region_part(r, PMD_PAGES, PMD_PAGES);
	unsigned char content[PAGE_BYTES];
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, region_page(r, 5), 1, PIN_WRITE));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PMD_PAGES, crosscheck_count(&self->ex, &self->kp, &first,
					      EX_OWN | EX_MAYBE_PINNED, 1));
	EXPECT_EQ(PMD_PAGES, crosscheck_count(&self->ex, &self->kp, &second, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, frames_kept(&self->other, &first, self->frames));
	EXPECT_EQ(PMD_PAGES, exclusive_count(&self->other, first.addr, PMD_PAGES,
					     EX_EXCLUSIVE | EX_MAYBE_PINNED, EX_EXCLUSIVE));
	r->id = pattern_new_id();
	region_fill(r);
	ASSERT_EQ(0, pin_read(&pin, content));
	EXPECT_TRUE(pattern_matches(content, r->id, 5));
	EXPECT_EQ(PMD_PAGES, frames_kept(&self->ex, &first, self->frames));
	EXPECT_EQ(0, pin_release(&pin));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_HARNESS_MAIN
