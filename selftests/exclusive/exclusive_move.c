// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_MOVE changes the addresses of pages within a process. It moves exclusive pages
 * only, they stay exclusive, and the reverse mapping finds them at the new addresses.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 24

#define MARKED (EX_SWAP | EX_EXCLUSIVE)

FIXTURE(exclusive_move) {
	struct region from, to;	/* source and destination */
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	__u64 frames[PAGES];
	int uffd;
};

FIXTURE_SETUP(exclusive_move)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_apart(&self->from, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->to, PAGES));
	region_fill(&self->from);
	self->to.id = self->from.id;
	self->uffd = uffd_watch(&self->to);
	ASSERT_LE(0, self->uffd);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->from, self->frames);
}

FIXTURE_TEARDOWN(exclusive_move)
{
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	close(self->uffd);
	region_free(&self->from);
	region_free(&self->to);
	kpage_close(&self->kp);
}

static long move_all(int uffd, const struct region *to, const struct region *from)
{
	return uffd_move(uffd, to->addr, from->addr, from->pages);
}

static long count_empty(const struct exclusive *ex, const struct region *r)
{
	return exclusive_count(ex, r->addr, r->pages, ~0ULL, 0);
}

TEST_F(exclusive_move, present_pages_stay_exclusive)
{
	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->to, self->frames));
	EXPECT_EQ(PAGES, count_empty(&self->ex, &self->from));
	EXPECT_EQ(0, region_damaged(&self->to));
}

/* Reclaim unmaps a page by the reverse mapping. */
TEST_F(exclusive_move, reclaim_finds_moved_pages)
{
	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	ASSERT_EQ(0, region_pageout(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, MARKED, 0));
	EXPECT_EQ(0, region_damaged(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
}

TEST_F(exclusive_move, migration_finds_moved_pages)
{
	size_t i;

	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, migrate_page(&self->ex, region_page(&self->to, i)));
	EXPECT_EQ(0, frames_kept(&self->ex, &self->to, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
	EXPECT_EQ(0, region_damaged(&self->to));
}

TEST_F(exclusive_move, ksm_merges_moved_pages)
{
	struct region twin;
	struct ksm ksm = {};

	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	ASSERT_EQ(0, region_map_apart(&twin, PAGES));
	twin.id = self->to.id;
	region_fill(&twin);
	ASSERT_EQ(0, madvise(twin.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->to.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	EXPECT_EQ(0, ksm_start(&ksm));
	EXPECT_EQ(0, ksm_wait(2));
	region_drain_batches();
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to,
					  EX_PRESENT | EX_KSM, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &twin, EX_PRESENT | EX_KSM, 2));
	EXPECT_EQ(0, ksm_stop(&ksm));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, self->to.addr, PAGES,
					 EX_STATE & ~EX_WRITABLE, EX_PRESENT | EX_EXCLUSIVE));
	EXPECT_EQ(0, region_damaged(&self->to));
	region_free(&twin);
}

/* The source is unmapped, and its anon_vma freed, before reclaim. */
TEST_F(exclusive_move, reclaim_finds_them_when_the_old_mapping_is_gone)
{
	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	region_free(&self->from);
	ASSERT_EQ(0, region_pageout(&self->to));
	EXPECT_EQ(0, region_damaged(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
}

TEST_F(exclusive_move, swapped_pages_keep_slot_and_mark)
{
	__u64 before[PAGES], after[PAGES];

	ASSERT_EQ(0, region_pageout(&self->from));
	ASSERT_EQ(PAGES, pagemap_read(self->ex.proc, self->from.addr, before, PAGES));
	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	ASSERT_EQ(PAGES, pagemap_read(self->ex.proc, self->to.addr, after, PAGES));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, MARKED, 0));
	EXPECT_EQ(PAGES, count_empty(&self->ex, &self->from));
	EXPECT_EQ(0, region_damaged(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
}

/* Pages that were read ahead are in the swap cache: those folios move as well. */
TEST_F(exclusive_move, pages_in_the_swap_cache_move_along)
{
	ASSERT_EQ(0, region_pageout(&self->from));
	ASSERT_EQ(0, madvise(self->from.addr, PAGES * PAGE_BYTES, MADV_WILLNEED));
	ASSERT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, MARKED, 0));
	EXPECT_EQ(0, region_damaged(&self->to));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
	ASSERT_EQ(0, region_pageout(&self->to));
	EXPECT_EQ(0, region_damaged(&self->to));
}

static void expect_refused(struct __test_metadata *_metadata, int uffd,
			   const struct exclusive *ex, const struct region *to,
			   const struct region *from)
{
	size_t i;

	for (i = 0; i < from->pages; i++)
		EXPECT_EQ(-EBUSY, uffd_move(uffd, region_page(to, i),
					    region_page(from, i), 1));
	EXPECT_EQ((long)to->pages, count_empty(ex, to));
	EXPECT_EQ(0, region_damaged(from));
}

TEST_F(exclusive_move, shared_pages_are_refused)
{
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	expect_refused(_metadata, self->uffd, &self->ex, &self->to, &self->from);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->from, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->from, self->frames));
}

TEST_F(exclusive_move, shared_pages_in_swap_are_refused)
{
	ASSERT_EQ(0, region_pageout(&self->from));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->from, EX_SWAP, 0));
	expect_refused(_metadata, self->uffd, &self->ex, &self->to, &self->from);
}

/* Pinned pages stay unchanged, and move after the pin is released. */
TEST_F(exclusive_move, pinned_pages_are_refused)
{
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, self->from.addr, PAGES, PIN_WRITE));
	expect_refused(_metadata, self->uffd, &self->ex, &self->to, &self->from);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->from, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->from,
					  EX_OWN | EX_MAYBE_PINNED, 1));
	EXPECT_EQ(0, pin_release(&pin));
	EXPECT_EQ(PAGES, move_all(self->uffd, &self->to, &self->from));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
}

/* UFFDIO_COPY makes new pages, which are exclusive. */
TEST_F(exclusive_move, copied_in_pages_are_exclusive)
{
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	ASSERT_EQ(PAGES, uffd_copy(self->uffd, self->to.addr, self->from.addr, PAGES));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->to, EX_OWN, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->from, EX_PRESENT, 2));
	EXPECT_EQ(0, region_damaged(&self->to));
}

TEST_HARNESS_MAIN
