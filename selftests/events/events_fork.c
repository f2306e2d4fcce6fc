// SPDX-License-Identifier: GPL-2.0
/*
 * Fork shares pages; writes copy them, or reuse the page of the last owner. Fork copies
 * pinned pages.
 */
#include <linux/mman.h>
#include <sys/ptrace.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	16
#define PINNED	5	/* the first ones */

FIXTURE(events_fork) {
	struct region region;
	struct traced self, other;
	struct child child;
	struct pin pin;
	__u64 frames[PAGES], copies[PAGES];
};

FIXTURE_SETUP(events_fork)
{
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(events_fork)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_TRUE(events_explained(&self->other.log));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

TEST_F(events_fork, new_page)
{
	struct region *r = &self->region;

	region_unmap(r);
	ASSERT_EQ(0, region_map_filled(r, PAGES));
	frames_note(&self->self.ex, r, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_SET, CAUSE_NEW, self->frames, NULL }));
}

/* A read fault maps the zero page, and a write then copies it. */
TEST_F(events_fork, zero_page_is_copied)
{
	struct region r;

	ASSERT_EQ(0, region_map_apart(&r, PAGES));
	ASSERT_EQ(0, madvise(r.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &r));
	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&r);
	frames_note(&self->self.ex, &r, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &r,
				     { OP_SET, CAUSE_COW_COPY, self->frames, NULL }));
	region_free(&r);
}

/* A write copies a file's page, mapped before or not. */
TEST_F(events_fork, private_page_of_a_file_is_copied)
{
	struct region file, r;

	ASSERT_EQ(0, region_map_memfd(&file, PAGES));
	region_fill(&file);
	ASSERT_EQ(0, region_map_view(&r, &file, 0, PAGES, MAP_PRIVATE));
	ASSERT_EQ(0, madvise(r.addr, PAGES / 2 * PAGE_BYTES, MADV_POPULATE_READ));
	region_fill(&r);
	frames_note(&self->self.ex, &r, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &r,
				     { OP_SET, CAUSE_COW_COPY, self->frames, NULL }));
	region_unmap(&r);
	region_free(&file);
}

TEST_F(events_fork, fork_shares)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_FORK_SHARE, self->frames, NULL }));
}

/* The pages are shared already. */
TEST_F(events_fork, second_fork_changes_nothing)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	child_kill(&self->child);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

/* The parent makes the child's copies, and the events have the parent's addresses. */
TEST_F(events_fork, fork_copies_pinned_pages_early)
{
	struct region pinned = region_part(&self->region, 0, PINNED);
	struct region others = region_part(&self->region, PINNED, PAGES - PINNED);

	ASSERT_EQ(0, pin_take(&self->pin, pinned.addr, PINNED, PIN_WRITE));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, exclusive_child_idle(&self->other.ex, &self->child));
	frames_note(&self->other.ex, &self->region, self->copies);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PINNED, STEPS_TAKEN(&self->self.log, &pinned,
				      { OP_SET, CAUSE_FORK_COPY, self->copies, NULL }));
	EXPECT_EQ(PAGES - PINNED, STEPS_TAKEN(&self->self.log, &others,
					      { OP_CLEAR, CAUSE_FORK_SHARE,
						self->frames + PINNED, NULL }));
}

TEST_F(events_fork, parent_that_writes_gets_a_copy)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	frames_note(&self->self.ex, &self->region, self->copies);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_COW_COPY, self->copies, NULL }));
}

TEST_F(events_fork, child_that_writes_gets_a_copy)
{
	struct region *r = &self->region;
	struct actor child;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, r));
	child = actor_of(self->child.pid);
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_TRUE(child_ask(&self->child));
	frames_note(&self->other.ex, r, self->copies);
	ASSERT_EQ(0, traced_end(&self->other));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->other.log, r,
				     { OP_SET, CAUSE_COW_COPY, self->copies, &child }));
	/* The child's copies are in no log but the child's. */
	EXPECT_EQ(PAGES, steps_none(&self->self.log, r));
}

TEST_F(events_fork, last_owner_reuses_the_page_when_it_writes)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, CAUSE_COW_REUSE, self->frames, NULL }));
}

/* The copy is made by the debugger, which writes. */
TEST_F(events_fork, poked_page_is_copied_by_the_debugger)
{
	struct region page = region_part(&self->region, 3, 1);
	__u64 copy;
	int status;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_traced_by_parent, NULL));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, kill(self->child.pid, SIGSTOP));
	ASSERT_EQ(self->child.pid, waitpid(self->child.pid, &status, 0));
	ASSERT_EQ(0, ptrace(PTRACE_POKEDATA, self->child.pid, page.addr, 0x123));
	copy = frame_at(&self->other.ex, page.addr);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->child.pid, NULL, NULL));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(1, STEPS_TAKEN(&self->other.log, &page,
				 { OP_SET, CAUSE_COW_COPY, &copy, NULL }));
}

TEST_HARNESS_MAIN
