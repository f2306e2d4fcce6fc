// SPDX-License-Identifier: GPL-2.0
/*
 * Long-term pins for reading. The pinned page must stay the process's page after its next
 * write, so an exclusive copy replaces a shared page first.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 8

#define PINNED_STATE (EX_PRESENT | EX_EXCLUSIVE | EX_MAYBE_PINNED)

FIXTURE(exclusive_unshare) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	struct pin pin;
	__u64 frames[PAGES];
};

FIXTURE_VARIANT(exclusive_unshare) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(exclusive_unshare, slow) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(exclusive_unshare, fast) {
	.flags = PIN_FAST,
};

static bool pin_matches(const struct pin *pin, const struct region *r)
{
	unsigned char *content = malloc(r->pages * PAGE_BYTES);
	bool same = content && !pin_read(pin, content) &&
		    !memcmp(content, r->addr, r->pages * PAGE_BYTES);

	free(content);
	return same;
}

FIXTURE_SETUP(exclusive_unshare)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_private_anon(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_unshare)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_unshare, pin_of_an_exclusive_page_leaves_it)
{
	ASSERT_EQ(0, pin_take(&self->pin, self->region.addr, PAGES, variant->flags));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region,
					  PINNED_STATE | EX_WRITABLE, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->region, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_unshare, pin_of_a_shared_page_unshares_it)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	ASSERT_EQ(0, pin_take(&self->pin, r->addr, PAGES, variant->flags));
	/* An exclusive copy, mapped read-only until it is written. */
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, PINNED_STATE, 1));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_TRUE(pin_matches(&self->pin, r));

	frames_note(&self->ex, r, self->frames);
	r->id = pattern_new_id();
	region_fill(r);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_TRUE(pin_matches(&self->pin, r));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* Mapped once, without the bit: the pin sets it, and makes no copy. */
TEST_F(exclusive_unshare, pin_of_a_page_once_shared_takes_it_over)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 1));
	ASSERT_EQ(0, pin_take(&self->pin, r->addr, PAGES, variant->flags));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, PINNED_STATE, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_TRUE(pin_matches(&self->pin, r));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_F(exclusive_unshare, fork_copies_a_page_pinned_for_reading_early)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, pin_take(&self->pin, r->addr, PAGES, variant->flags));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->other, r->addr, PAGES,
					 EX_EXCLUSIVE | EX_MAYBE_PINNED, EX_EXCLUSIVE));
	region_fill(r);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_TRUE(pin_matches(&self->pin, r));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_HARNESS_MAIN
