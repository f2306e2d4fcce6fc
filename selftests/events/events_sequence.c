// SPDX-License-Identifier: GPL-2.0
/* Several changes of each page, in order. */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 12

FIXTURE(events_sequence) {
	struct region region;	/* not written yet */
	struct traced self, other;
	struct child child;
	struct pin pin;
	__u64 first[PAGES], second[PAGES], third[PAGES];
};

FIXTURE_SETUP(events_sequence)
{
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
}

FIXTURE_TEARDOWN(events_sequence)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_TRUE(events_explained(&self->other.log));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

/* The parent copies; the child reuses the page as its last owner. */
TEST_F(events_sequence, shared_then_copied_then_taken_over)
{
	struct region *r = &self->region;
	struct actor child;

	region_fill(r);
	frames_note(&self->self.ex, r, self->first);
	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, r));
	child = actor_of(self->child.pid);
	region_drain_batches();
	region_fill(r);
	frames_note(&self->self.ex, r, self->second);
	ASSERT_TRUE(child_ask(&self->child));
	EXPECT_EQ(PAGES, frames_kept(&self->other.ex, r, self->first));
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->first, NULL },
				     { OP_CLEAR, CAUSE_FORK_SHARE, self->first, NULL },
				     { OP_SET, CAUSE_COW_COPY, self->second, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->other.log, r,
				     { OP_SET, CAUSE_COW_REUSE, self->first, &child }));
}

/* The child copies; the parent reuses the page as its last owner. */
TEST_F(events_sequence, shared_then_copied_by_the_child_then_taken_over)
{
	struct region *r = &self->region;
	struct actor child;

	region_fill(r);
	frames_note(&self->self.ex, r, self->first);
	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, r));
	child = actor_of(self->child.pid);
	ASSERT_TRUE(child_ask(&self->child));
	frames_note(&self->other.ex, r, self->second);
	region_drain_batches();
	region_fill(r);
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->first, NULL },
				     { OP_CLEAR, CAUSE_FORK_SHARE, self->first, NULL },
				     { OP_SET, CAUSE_COW_REUSE, self->first, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->other.log, r,
				     { OP_SET, CAUSE_COW_COPY, self->second, &child }));
}

TEST_F(events_sequence, swapped_out_and_in_and_out_again)
{
	struct region *r = &self->region;

	region_fill(r);
	frames_note(&self->self.ex, r, self->first);
	ASSERT_EQ(0, region_pageout(r));
	EXPECT_EQ(0, region_damaged(r));
	frames_note(&self->self.ex, r, self->second);
	ASSERT_EQ(0, region_pageout(r));
	region_fill(r);
	frames_note(&self->self.ex, r, self->third);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->first, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->first, NULL },
				     { OP_SET, CAUSE_SWAP_IN, self->second, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->second, NULL },
				     { OP_SET, CAUSE_SWAP_IN, self->third, NULL }));
}

/* Unshared for a pin, and copied for the child by the next fork. */
TEST_F(events_sequence, unshared_then_copied_early)
{
	struct region *r = &self->region;
	struct child idle;

	region_fill(r);
	frames_note(&self->self.ex, r, self->first);
	ASSERT_EQ(0, child_start_idle(&idle));
	ASSERT_EQ(0, pin_take(&self->pin, r->addr, PAGES, 0));
	frames_note(&self->self.ex, r, self->second);
	ASSERT_EQ(0, exclusive_child_idle(&self->other.ex, &self->child));
	frames_note(&self->other.ex, r, self->third);
	child_kill(&idle);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, r, self->second));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->first, NULL },
				     { OP_CLEAR, CAUSE_FORK_SHARE, self->first, NULL },
				     { OP_SET, CAUSE_UNSHARE, self->second, NULL },
				     { OP_SET, CAUSE_FORK_COPY, self->third, NULL }));
}

TEST_F(events_sequence, migrated_then_shared_then_taken_over_then_freed)
{
	struct region *r = &self->region;
	size_t i;

	region_fill(r);
	frames_note(&self->self.ex, r, self->first);
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, migrate_page(&self->self.ex, region_page(r, i)));
	frames_note(&self->self.ex, r, self->second);
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	region_fill(r);
	ASSERT_EQ(0, madvise(r->addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->first, NULL },
				     { OP_CLEAR, CAUSE_MIGRATE_START, self->first, NULL },
				     { OP_SET, CAUSE_MIGRATE_END, self->second, NULL },
				     { OP_CLEAR, CAUSE_FORK_SHARE, self->second, NULL },
				     { OP_SET, CAUSE_COW_REUSE, self->second, NULL },
				     { OP_CLEAR, CAUSE_UNMAP, self->second, NULL }));
}

/* Events of the first page of a THP, which stand for all until it is split. */
TEST_F(events_sequence, huge_page_shared_taken_over_and_split)
{
	__u64 frames[PMD_PAGES];
	struct region r, head;

	ASSERT_EQ(0, thp_map(&r, 1));
	frames_note(&self->self.ex, &r, frames);
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	region_fill(&r);
	ASSERT_EQ(0, thp_split(&r));
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, traced_end(&self->self));
	head = region_part(&r, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head,
				 { OP_SET, CAUSE_NEW, frames, NULL },
				 { OP_CLEAR, CAUSE_FORK_SHARE, frames, NULL },
				 { OP_SET, CAUSE_COW_REUSE, frames, NULL },
				 { OP_CLEAR, CAUSE_THP_SPLIT, frames, NULL },
				 { OP_SET, CAUSE_THP_SPLIT, frames, NULL },
				 { OP_CLEAR, CAUSE_SWAP_OUT, frames, NULL }));
	region_free(&r);
}

TEST_HARNESS_MAIN
