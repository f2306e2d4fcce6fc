// SPDX-License-Identifier: GPL-2.0
/*
 * Swap-out clears the bit and sets the exclusive mark of the swap entry; the event names
 * the process that reclaims. Swap-in sets the bit if the entry has the mark.
 */
#include <sys/prctl.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 40

/* An operation of another process. */
struct operation {
	int (*run)(const struct operation *op);
	struct cgroup cg;
};

FIXTURE(events_swap) {
	struct region region;
	struct traced self;
	struct child child, helper;	/* the helper shares no page of the region */
	struct operation operation;
	struct actor by;
	__u64 frames[PAGES], back[PAGES];
};

static int reclaim(const struct operation *op)
{
	cgroup_reclaim(&op->cg, 64 * PAGES * PAGE_BYTES);
	return 0;
}

static int swap_off_and_on(const struct operation *op)
{
	(void)op;
	return swapdev_restart();
}

static int run_when_told(struct child *c, void *arg)
{
	const struct operation *op = arg;

	prctl(PR_SET_NAME, "a helper, named");
	if (!child_tell(c))
		return 1;
	while (child_hear(c))
		if (op->run(op) || !child_tell(c))
			return 2;
	return 0;
}

FIXTURE_SETUP(events_swap)
{
	ASSERT_EQ(0, cgroup_create(&self->operation.cg));
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
}

FIXTURE_TEARDOWN(events_swap)
{
	/* Fails if it is on, as it should be. */
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	child_kill(&self->helper);
	EXPECT_EQ(0, cgroup_leave());
	region_free(&self->region);
	EXPECT_EQ(0, cgroup_destroy(&self->operation.cg));
}

static void start_helper(struct __test_metadata *_metadata, FIXTURE_DATA(events_swap) * self,
			 int (*run)(const struct operation *op))
{
	self->operation.run = run;
	ASSERT_EQ(0, child_start(&self->helper, run_when_told, &self->operation));
	ASSERT_TRUE(child_hear(&self->helper));
	self->by = actor_of(self->helper.pid);
}

static void fill_and_trace(struct __test_metadata *_metadata, FIXTURE_DATA(events_swap) * self)
{
	region_fill(&self->region);
	ASSERT_EQ(0, exclusive_open(&self->self.ex, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
	ASSERT_EQ(0, events_start(getpid()));
}

TEST_F(events_swap, swap_out_by_the_process_itself)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
}

TEST_F(events_swap, swap_out_by_another_process)
{
	struct region *r = &self->region;
	int tries;

	start_helper(_metadata, self, reclaim);
	ASSERT_EQ(0, cgroup_enter(&self->operation.cg));
	fill_and_trace(_metadata, self);
	region_drain_batches();
	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		ASSERT_TRUE(child_ask(&self->helper));
		if (exclusive_count(&self->self.ex, r->addr, PAGES, EX_SWAP, EX_SWAP) == PAGES)
			break;
		region_drain_batches();
	}
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, &self->by }));
}

TEST_F(events_swap, swap_in_by_reading)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_again(&self->self));
	EXPECT_EQ(0, region_damaged(&self->region));
	frames_note(&self->self.ex, &self->region, self->back);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_SWAP_IN, self->back, NULL }));
}

TEST_F(events_swap, swap_in_by_writing)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	frames_note(&self->self.ex, &self->region, self->back);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_SWAP_IN, self->back, NULL }));
}

/* Fork clears the marks of swap entries; there is no page, and no event. */
TEST_F(events_swap, fork_and_reading_shared_pages_back_change_no_bit)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, child_start_idle(&self->child));
	EXPECT_EQ(0, region_damaged(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

/* One fault swaps the page in and copies it; the copy gets the bit. */
TEST_F(events_swap, write_swap_in_of_a_shared_page_is_a_copy)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	frames_note(&self->self.ex, &self->region, self->back);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_COW_COPY, self->back, NULL }));
}

/* The pages stay without the bit after the child exits. */
TEST_F(events_swap, shared_page_is_swapped_out_without_a_change)
{
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	child_kill(&self->child);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_F(events_swap, swapoff_by_another_process)
{
	start_helper(_metadata, self, swap_off_and_on);
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_TRUE(child_ask(&self->helper));
	frames_note(&self->self.ex, &self->region, self->back);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_SWAPOFF, self->back, &self->by }));
}

/* swapoff maps a shared page without the bit. */
TEST_F(events_swap, swapoff_of_shared_pages_changes_nothing)
{
	start_helper(_metadata, self, swap_off_and_on);
	fill_and_trace(_metadata, self);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_TRUE(child_ask(&self->helper));
	EXPECT_EQ(PAGES, exclusive_count(&self->self.ex, self->region.addr, PAGES,
					 EX_PRESENT | EX_EXCLUSIVE, EX_PRESENT));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_HARNESS_MAIN
