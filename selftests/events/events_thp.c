// SPDX-License-Identifier: GPL-2.0
/*
 * A THP mapped by a PMD has one bit, and the events of its first page stand for all; a
 * split of the PMD sets a bit for each page.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	PMD_PAGES
#define WRITTEN	100

FIXTURE(events_thp) {
	struct region region, head, tails;
	struct traced self, other;
	struct child child;
	struct pin pin;
	__u64 frames[PAGES], copies[PAGES];
};

FIXTURE_SETUP(events_thp)
{
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, thp_map(&self->region, 1));
	self->head = region_part(&self->region, 0, 1);
	self->tails = region_part(&self->region, 1, PAGES - 1);
	frames_note(&self->self.ex, &self->region, self->frames);
	ASSERT_EQ(PAGES, thp_count(&self->self.ex, &self->region, EX_SHAPE));
}

FIXTURE_TEARDOWN(events_thp)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

TEST_F(events_thp, new_page)
{
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_SET, CAUSE_NEW, self->frames, NULL }));
	EXPECT_EQ(PAGES - 1, steps_none(&self->self.log, &self->tails));
}

/* A write to the huge zero page makes a THP. */
TEST_F(events_thp, huge_zero_page_is_copied)
{
	struct region r, head;

	ASSERT_EQ(0, thp_map_empty(&r, 1));
	ASSERT_EQ(0, madvise(r.addr, PMD_BYTES, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(r.addr, PMD_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(PAGES, exclusive_count(&self->self.ex, r.addr, PAGES, EX_ZERO | EX_PMD,
					 EX_ZERO | EX_PMD));
	region_fill_page(&r, WRITTEN);
	ASSERT_EQ(PAGES, thp_count(&self->self.ex, &r, EX_SHAPE));
	frames_note(&self->self.ex, &r, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	head = region_part(&r, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head,
				 { OP_SET, CAUSE_COW_COPY, self->frames, NULL }));
	region_free(&r);
}

TEST_F(events_thp, fork_shares)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_CLEAR, CAUSE_FORK_SHARE, self->frames, NULL }));
	EXPECT_EQ(PAGES - 1, steps_none(&self->self.log, &self->tails));
}

/* The split of a shared page's PMD sets no bits. */
TEST_F(events_thp, write_after_fork_copies_one_page)
{
	struct region page = region_part(&self->region, WRITTEN, 1);
	struct region before = region_part(&self->region, 0, WRITTEN);
	struct region after = region_part(&self->region, WRITTEN + 1, PAGES - WRITTEN - 1);
	__u64 copy;

	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill_page(&self->region, WRITTEN);
	copy = frame_at(&self->self.ex, page.addr);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &page,
				 { OP_SET, CAUSE_COW_COPY, &copy, NULL }));
	EXPECT_EQ(before.pages, steps_none(&self->self.log, &before));
	EXPECT_EQ(after.pages, steps_none(&self->self.log, &after));
}

TEST_F(events_thp, last_owner_reuses_the_page_when_it_writes)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill_page(&self->region, WRITTEN);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, thp_count(&self->self.ex, &self->region, EX_SHAPE));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_SET, CAUSE_COW_REUSE, self->frames, NULL }));
	EXPECT_EQ(PAGES - 1, steps_none(&self->self.log, &self->tails));
}

/*
 * Pins are counted by folio: fork splits the PMD, and copies every page. The first page has
 * the bit before the split already.
 */
TEST_F(events_thp, fork_copies_a_pinned_page_early)
{
	const struct event *const *e;
	size_t i, right = 0;

	ASSERT_EQ(0, pin_take(&self->pin, region_page(&self->region, WRITTEN), 1, PIN_WRITE));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, exclusive_child_idle(&self->other.ex, &self->child));
	frames_note(&self->other.ex, &self->region, self->copies);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_SET, CAUSE_FORK_COPY, self->copies, NULL }));
	EXPECT_EQ(PAGES - 1, STEPS_TAKEN(&self->self.log, &self->tails,
					 { OP_SET, CAUSE_THP_SPLIT, self->frames + 1, NULL },
					 { OP_SET, CAUSE_FORK_COPY, self->copies + 1, NULL }));
	for (i = 1; i < PAGES; i++)
		right += events_at(&self->self.log, region_page(&self->region, i), &e) == 2 &&
			 e[0]->pfn != e[1]->pfn;
	EXPECT_EQ(PAGES - 1, right);
}

TEST_F(events_thp, swap_out_splits_and_clears_every_bit)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
	EXPECT_EQ(PAGES - 1, STEPS_TAKEN(&self->self.log, &self->tails,
					 { OP_SET, CAUSE_THP_SPLIT, self->frames + 1, NULL },
					 { OP_CLEAR, CAUSE_SWAP_OUT, self->frames + 1, NULL }));
}

TEST_F(events_thp, unmapping_a_part_splits_the_mapping)
{
	struct region rest = region_part(&self->region, 10, PAGES - 10);

	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, munmap(self->region.addr, 10 * PAGE_BYTES));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES - 10, STEPS_TAKEN(&self->self.log, &rest,
					  { OP_SET, CAUSE_THP_SPLIT, self->frames + 10, NULL }));
}

TEST_F(events_thp, protecting_a_part_splits_the_mapping)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, mprotect(self->region.addr, 10 * PAGE_BYTES, PROT_READ));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, steps_none(&self->self.log, &self->head));
	EXPECT_EQ(PAGES - 1, STEPS_TAKEN(&self->self.log, &self->tails,
					 { OP_SET, CAUSE_THP_SPLIT, self->frames + 1, NULL }));
}

TEST_HARNESS_MAIN
