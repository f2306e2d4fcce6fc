// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_COPY makes new pages. UFFDIO_MOVE and mremap change the address and not the bit:
 * the old address loses the page, the new one gets it. Events before have the old address.
 */
#include <linux/mman.h>

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
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->from,
				     { OP_CLEAR, CAUSE_MOVE, self->frames, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->to,
				     { OP_SET, CAUSE_MOVE, self->frames, NULL }));
}

TEST_F(events_move, moved_by_userfaultfd_then_swapped_out)
{
	ASSERT_EQ(PAGES, uffd_move(self->uffd, self->to.addr, self->from.addr, PAGES));
	ASSERT_EQ(0, region_pageout(&self->to));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->from,
				     { OP_CLEAR, CAUSE_MOVE, self->frames, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->to,
				     { OP_SET, CAUSE_MOVE, self->frames, NULL },
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
	struct region old = self->from;

	ASSERT_EQ(0, region_move(&self->from));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->from, self->frames));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &old,
				     { OP_CLEAR, CAUSE_MOVE, self->frames, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->from,
				     { OP_SET, CAUSE_MOVE, self->frames, NULL }));
}

TEST_F(events_move, moved_by_mremap_then_swapped_out)
{
	struct region r, old;

	ASSERT_EQ(0, region_map_filled(&r, PAGES));
	frames_note(&self->self.ex, &r, self->frames);
	old = r;
	ASSERT_EQ(0, region_move(&r));
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &old,
				     { OP_SET, CAUSE_NEW, self->frames, NULL },
				     { OP_CLEAR, CAUSE_MOVE, self->frames, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &r,
				     { OP_SET, CAUSE_MOVE, self->frames, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
	region_free(&r);
}

/*
 * New pages in the hole that mremap left have the anon_vma and the index of the moved
 * ones. The events of both are at their own addresses, also those of swap-out.
 */
TEST_F(events_move, hole_is_filled_again)
{
	struct region hole = self->from;
	__u64 frames[PAGES];

	ASSERT_EQ(0, region_move(&self->from));
	ASSERT_EQ(0, region_map(&hole, hole.addr, PAGES,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	region_fill(&hole);
	frames_note(&self->self.ex, &hole, frames);
	ASSERT_EQ(0, region_pageout(&self->from));
	ASSERT_EQ(0, region_pageout(&hole));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &hole,
				     { OP_CLEAR, CAUSE_MOVE, self->frames, NULL },
				     { OP_SET, CAUSE_NEW, frames, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, frames, NULL }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->from,
				     { OP_SET, CAUSE_MOVE, self->frames, NULL },
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, NULL }));
	region_free(&hole);
}

/* MREMAP_DONTUNMAP of a part leaves anon_vma and index in the old area. */
TEST_F(events_move, part_is_moved_and_stays_mapped)
{
	struct region part = region_part(&self->from, PAGES / 3, PAGES / 3), to = part;
	__u64 frames[PAGES];

	to.addr = mremap(part.addr, part.pages * PAGE_BYTES, part.pages * PAGE_BYTES,
			 MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	ASSERT_NE(MAP_FAILED, (void *)to.addr) TH_LOG("%m");
	region_fill(&part);
	frames_note(&self->self.ex, &part, frames);
	ASSERT_EQ(0, region_pageout(&to));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(part.pages, STEPS_TAKEN(&self->self.log, &part,
					  { OP_CLEAR, CAUSE_MOVE, self->frames + PAGES / 3, NULL },
					  { OP_SET, CAUSE_NEW, frames, NULL }));
	EXPECT_EQ(part.pages, STEPS_TAKEN(&self->self.log, &to,
					  { OP_SET, CAUSE_MOVE, self->frames + PAGES / 3, NULL },
					  { OP_CLEAR, CAUSE_SWAP_OUT, self->frames + PAGES / 3,
					    NULL }));
	region_free(&to);
}

/* A whole page table is moved at once, but not while this is traced. */
TEST_F(events_move, page_table_moved_by_mremap)
{
	unsigned char *at = region_find_aligned(2 * PMD_BYTES);
	__u64 frames[PMD_PAGES];
	struct region from, to;

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, region_map(&from, at, PMD_PAGES,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, madvise(from.addr, PMD_BYTES, MADV_NOHUGEPAGE));
	region_fill(&from);
	region_drain_batches();
	frames_note(&self->self.ex, &from, frames);
	ASSERT_EQ(0, traced_again(&self->self));
	to = from;
	to.addr = mremap(from.addr, PMD_BYTES, PMD_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
			 at + PMD_BYTES);
	ASSERT_EQ(at + PMD_BYTES, to.addr);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PMD_PAGES, STEPS_TAKEN(&self->self.log, &from,
					 { OP_CLEAR, CAUSE_MOVE, frames, NULL }));
	EXPECT_EQ(PMD_PAGES, STEPS_TAKEN(&self->self.log, &to,
					 { OP_SET, CAUSE_MOVE, frames, NULL }));
	region_free(&to);
}

/* mremap moves the PMD of a huge page. */
TEST_F(events_move, huge_page_moved_by_mremap)
{
	struct region from, to, head;
	__u64 frames[PMD_PAGES];
	unsigned char *at;

	ASSERT_EQ(0, thp_map(&from, 1));
	at = region_find_aligned(PMD_BYTES);
	ASSERT_NE(NULL, at);
	frames_note(&self->self.ex, &from, frames);
	ASSERT_EQ(0, traced_again(&self->self));
	to = from;
	to.addr = mremap(from.addr, PMD_BYTES, PMD_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, at);
	ASSERT_EQ(at, to.addr);
	EXPECT_EQ(PMD_PAGES, frames_kept(&self->self.ex, &to, frames));
	ASSERT_EQ(0, traced_end(&self->self));
	head = region_part(&from, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head, { OP_CLEAR, CAUSE_MOVE, frames, NULL }));
	head = region_part(&to, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head, { OP_SET, CAUSE_MOVE, frames, NULL }));
	region_free(&to);
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
	head = region_part(&from, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head, { OP_CLEAR, CAUSE_MOVE, frames, NULL }));
	head = region_part(&to, 0, 1);
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &head,
				 { OP_SET, CAUSE_MOVE, frames, NULL },
				 { OP_CLEAR, CAUSE_FORK_SHARE, frames, NULL }));
	child_kill(&child);
	close(uffd);
	region_free(&from);
	region_free(&to);
}

TEST_HARNESS_MAIN
