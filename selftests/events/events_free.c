// SPDX-License-Identifier: GPL-2.0
/*
 * An exclusive page that is unmapped is an event at its address. Freeing it clears its bit:
 * an event without address, for nobody maps the page. A page without the bit is unmapped
 * and freed without an event.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 30

FIXTURE(events_free) {
	struct region region;
	struct traced self;
	struct child child;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(events_free)
{
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	/* Pages in a CPU's batch are freed by the process that drains it. */
	region_drain_batches();
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(events_free)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

TEST_F(events_free, given_back)
{
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_UNMAP, self->frames, NULL }));
}

TEST_F(events_free, unmapped)
{
	struct event own = { .op = OP_CLEAR, .cause = CAUSE_FREE, .pid = getpid() };
	const struct event *e = NULL;
	size_t unknown = 0;

	ASSERT_EQ(0, munmap(self->region.addr, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_UNMAP, self->frames, NULL }));
	EXPECT_EQ(PAGES, steps_of_frames(&self->self.log, self->frames, PAGES, OP_CLEAR,
					 CAUSE_FREE));
	while ((e = events_next(&self->self.log, e, &own)))
		unknown += !e->addr;
	EXPECT_LE(PAGES, unknown);
	self->region.addr = NULL;
}

TEST_F(events_free, shared_page_is_freed_without_a_word)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_F(events_free, copied_page_is_left_to_the_other_without_a_word)
{
	__u64 copies[PAGES];

	ASSERT_EQ(0, child_start_idle(&self->child));
	region_fill(&self->region);
	frames_note(&self->self.ex, &self->region, copies);
	ASSERT_EQ(0, traced_again(&self->self));
	child_kill(&self->child);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->region, copies));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

/* Reclaim frees a page that was not written after MADV_FREE. */
TEST_F(events_free, lazily_freed_page)
{
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_FREE));
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, exclusive_count(&self->self.ex, self->region.addr, PAGES, ~0ULL, 0));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_UNMAP, self->frames, NULL }));
}

/* One event for a huge page mapped by a PMD, one for each page mapped by PTEs. */
TEST_F(events_free, huge_page)
{
	struct region whole, split, head, tails;
	__u64 frames[PMD_PAGES];

	ASSERT_EQ(0, thp_map(&whole, 1));
	ASSERT_EQ(0, thp_map(&split, 1));
	ASSERT_EQ(0, mprotect(split.addr, PAGE_BYTES, PROT_READ));
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	frames_note(&self->self.ex, &whole, frames);
	ASSERT_EQ(0, madvise(whole.addr, PMD_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	head = region_part(&whole, 0, 1);
	tails = region_part(&whole, 1, PMD_PAGES - 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head,
				 { OP_CLEAR, CAUSE_UNMAP, frames, NULL }));
	EXPECT_EQ(PMD_PAGES - 1, steps_none(&self->self.log, &tails));

	ASSERT_EQ(0, events_start(getpid()));
	frames_note(&self->self.ex, &split, frames);
	ASSERT_EQ(0, madvise(split.addr, PMD_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PMD_PAGES, STEPS_TAKEN(&self->self.log, &split,
					 { OP_CLEAR, CAUSE_UNMAP, frames, NULL }));
	region_free(&whole);
	region_free(&split);
}

TEST_HARNESS_MAIN
