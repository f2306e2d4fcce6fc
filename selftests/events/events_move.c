// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_COPY makes new pages. UFFDIO_MOVE and mremap change the address and not the bit;
 * later events have the new address.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 24

FIXTURE(events_move) {
	struct region from, to;
	struct traced self;
	__u64 frames[PAGES];
	int uffd;
};

FIXTURE_SETUP(events_move)
{
	ASSERT_EQ(0, region_map_apart(&self->from, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->to, PAGES));
	region_fill(&self->from);
	region_drain_batches();
	self->to.id = self->from.id;
	self->uffd = uffd_watch(&self->to);
	ASSERT_LE(0, self->uffd);
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->from, self->frames);
}

FIXTURE_TEARDOWN(events_move)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	close(self->uffd);
	region_free(&self->from);
	region_free(&self->to);
}

TEST_F(events_move, copied_in)
{
	ASSERT_EQ(PAGES, uffd_copy(self->uffd, self->to.addr, self->from.addr, PAGES));
	frames_note(&self->self.ex, &self->to, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->to,
				     { OP_SET, CAUSE_UFFD_COPY, self->frames, NULL }));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->from));
}

TEST_F(events_move, moved_by_userfaultfd)
{
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->to, self->frames));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->from));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->to));
}

TEST_F(events_move, moved_by_userfaultfd_then_swapped_out)
{
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	ASSERT_EQ(0, region_pageout(&self->to));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->from));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->to,
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
}

/* A page in swap has no bit: swap-in at the new address sets it. */
TEST_F(events_move, moved_by_userfaultfd_in_swap)
{
	ASSERT_EQ(0, region_pageout(&self->from));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(0, region_damaged(&self->to));
	frames_note(&self->self.ex, &self->to, self->frames);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->from));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->to,
				     { OP_SET, CAUSE_SWAP_IN, self->frames, NULL }));
}

TEST_F(events_move, moved_by_mremap)
{
	ASSERT_EQ(0, region_move(&self->from));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->from, self->frames));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->from));
}

/* Earlier events have the new address, too: it is looked up when the log is read. */
TEST_F(events_move, moved_by_mremap_then_swapped_out)
{
	struct region r;

	ASSERT_EQ(0, region_map_filled(&r, PAGES));
	frames_note(&self->self.ex, &r, self->frames);
	ASSERT_EQ(0, region_move(&r));
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &r,
				     { OP_SET, CAUSE_NEW, self->frames, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
	region_free(&r);
}

/* UFFDIO_MOVE moves the PMD. */
TEST_F(events_move, huge_page_moved_by_userfaultfd)
{
	struct region from, to, head;
	__u64 frames[PMD_PAGES];
	struct child child;
	int uffd;

	ASSERT_EQ(0, thp_map_empty(&to, 1));
	ASSERT_EQ(0, thp_map(&from, 1));
	uffd = uffd_watch(&to);
	ASSERT_LE(0, uffd);
	frames_note(&self->self.ex, &from, frames);
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ((long)PMD_PAGES, uffd_move(uffd, to.addr, from.addr, PMD_PAGES));
	EXPECT_EQ(PMD_PAGES, frames_kept(&self->self.ex, &to, frames));
	ASSERT_EQ(0, child_start_idle(&child));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PMD_PAGES, steps_none(&self->self.log, &from));
	head = region_part(&to, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head,
				 { OP_CLEAR, CAUSE_FORK_SHARE, frames, NULL }));
	child_kill(&child);
	close(uffd);
	region_free(&from);
	region_free(&to);
}

TEST_HARNESS_MAIN
