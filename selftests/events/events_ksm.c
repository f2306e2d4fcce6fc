// SPDX-License-Identifier: GPL-2.0
/*
 * KSM: ksmd clears the bit of pages that it merges. A write to a merged page copies it, and
 * so does a swap-in at an address that is not in the page's anon_vma.
 */
#include <linux/mman.h>
#include <sys/prctl.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 10

FIXTURE(events_ksm) {
	struct region one, two;	/* the same bytes in both */
	struct traced self;
	struct cgroup cg;
	struct ksm ksm;
	__u64 first[PAGES], second[PAGES];
};

FIXTURE_SETUP(events_ksm)
{
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_apart(&self->one, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->two, PAGES));
	self->two.id = self->one.id;
	region_fill(&self->one);
	region_fill(&self->two);
	region_drain_batches();
	ASSERT_EQ(0, madvise(self->one.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->two.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->one, self->first);
	frames_note(&self->self.ex, &self->two, self->second);
	ASSERT_EQ(0, ksm_start(&self->ksm));
	ASSERT_EQ(0, ksm_wait(2));
	ASSERT_EQ(0, ksm_pause());
	region_drain_batches();
	ASSERT_EQ(PAGES, exclusive_count(&self->self.ex, self->two.addr, PAGES,
					 EX_KSM | EX_EXCLUSIVE, EX_KSM));
}

FIXTURE_TEARDOWN(events_ksm)
{
	/* Fails if it is on, as it should be. */
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	EXPECT_EQ(0, ksm_stop(&self->ksm));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	EXPECT_EQ(0, cgroup_leave());
	region_free(&self->one);
	region_free(&self->two);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

TEST_F(events_ksm, merged_by_ksmd)
{
	struct actor ksmd = actor_thread("ksmd");

	ASSERT_LT(0, ksmd.pid);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->one,
				     { OP_CLEAR, CAUSE_KSM, self->first, &ksmd }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->two,
				     { OP_CLEAR, CAUSE_KSM, self->second, &ksmd }));
}

TEST_F(events_ksm, writer_gets_a_copy)
{
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->two);
	frames_note(&self->self.ex, &self->two, self->second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->two,
				     { OP_SET, CAUSE_COW_COPY, self->second, NULL }));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->one));
}

/* MADV_UNMERGEABLE unshares pages by faults that are no writes. */
TEST_F(events_ksm, taken_apart_on_demand)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, madvise(self->two.addr, PAGES * PAGE_BYTES, MADV_UNMERGEABLE));
	frames_note(&self->self.ex, &self->two, self->second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->two,
				     { OP_SET, CAUSE_KSM, self->second, NULL }));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->one));
}

/* Nothing is left in the swap cache, so that swap-in reads ordinary pages. */
static void swap_out(struct __test_metadata *_metadata, FIXTURE_DATA(events_ksm) * self)
{
	ASSERT_EQ(0, region_reclaim(&self->one, &self->cg));
	ASSERT_EQ(0, region_reclaim(&self->two, &self->cg));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, traced_again(&self->self));
}

/* The first swap-in maps the page, shared; the second copies it for its own address. */
TEST_F(events_ksm, swap_in_at_another_place_is_a_copy)
{
	swap_out(_metadata, self);
	EXPECT_EQ(0, region_damaged(&self->one));
	EXPECT_EQ(0, region_damaged(&self->two));
	frames_note(&self->self.ex, &self->two, self->second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->one));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->two,
				     { OP_SET, CAUSE_SWAP_IN, self->second, NULL }));
}

TEST_F(events_ksm, swapoff_copies_for_one_of_two_places)
{
	size_t first, second;

	swap_out(_metadata, self);
	ASSERT_EQ(0, swapoff(getenv("XPAGEMAP_SWAPDEV"))) TH_LOG("%m");
	frames_note(&self->self.ex, &self->one, self->first);
	frames_note(&self->self.ex, &self->two, self->second);
	ASSERT_EQ(0, traced_end(&self->self));
	first = STEPS_TAKEN(&self->self.log, &self->one,
			    { OP_SET, CAUSE_SWAPOFF, self->first, NULL });
	second = STEPS_TAKEN(&self->self.log, &self->two,
			     { OP_SET, CAUSE_SWAPOFF, self->second, NULL });
	EXPECT_EQ(PAGES, first + second);
	EXPECT_EQ(PAGES, steps_none(&self->self.log, first ? &self->two : &self->one));
	EXPECT_EQ(0, region_damaged(&self->one));
	EXPECT_EQ(0, region_damaged(&self->two));
}

TEST_HARNESS_MAIN
