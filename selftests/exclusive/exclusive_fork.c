// SPDX-License-Identifier: GPL-2.0
/*
 * Fork and copy on write: the bit is set on a page of one process, cleared by fork for
 * both, and set again for a process that writes.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 20

FIXTURE(exclusive_fork) {
	struct region region;
	struct exclusive ex;	/* the parent's */
	struct exclusive other;	/* the child's */
	struct kpage kp;
	struct child child;
};

FIXTURE_SETUP(exclusive_fork)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
}

FIXTURE_TEARDOWN(exclusive_fork)
{
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_fork, new_page_is_exclusive)
{
	__u64 entry = exclusive_at(&self->ex, self->region.addr);

	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_OWN, 1));
	EXPECT_EQ(0, entry & (EX_KSM | EX_LARGE | EX_PMD | EX_SWAP_CACHE | EX_MIGRATION |
			      EX_ZERO | EX_UNUSED));
	region_drain_batches();
	EXPECT_EQ(1, ex_references(exclusive_at(&self->ex, self->region.addr)));
	EXPECT_EQ(PAGES, summary_value(&self->ex, self->region.addr, "exclusive"));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* A read fault maps the zero page, which is never exclusive. */
TEST_F(exclusive_fork, zero_page_has_no_bit)
{
	struct region r;
	size_t i;

	ASSERT_EQ(0, region_map_private_anon(&r, PAGES));
	ASSERT_EQ(0, madvise(r.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(EX_PRESENT | EX_ZERO, exclusive_at(&self->ex, region_page(&r, i)));
	EXPECT_EQ(0, violations_of(&self->ex));
	region_free(&r);
}

/* A shmem page belongs to its file, even if it is mapped once. */
TEST_F(exclusive_fork, shared_memory_has_no_bit)
{
	struct region r;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r.addr, PAGES, ~EX_WRITABLE,
					 EX_PRESENT | EX_FILE));
	region_free(&r);
}

TEST_F(exclusive_fork, fork_clears_the_bit_on_both_sides)
{
	__u64 before[PAGES];

	frames_note(&self->ex, &self->region, before);
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, &self->region, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->region, before));
	EXPECT_EQ(PAGES, frames_kept(&self->other, &self->region, before));
	EXPECT_EQ(0, summary_value(&self->ex, self->region.addr, "exclusive"));
	EXPECT_EQ(PAGES, summary_value(&self->ex, self->region.addr, "shared"));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* The child keeps the page, mapped once now; its bit stays clear until the child writes. */
TEST_F(exclusive_fork, parent_that_writes_gets_a_copy)
{
	__u64 before[PAGES];

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	frames_note(&self->ex, &self->region, before);
	self->region.id = pattern_new_id();
	region_fill(&self->region);
	EXPECT_EQ(0, frames_kept(&self->ex, &self->region, before));
	EXPECT_EQ(PAGES, frames_kept(&self->other, &self->region, before));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_OWN, 1));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, &self->region, EX_PRESENT, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_fork, last_owner_reuses_the_page_when_it_writes)
{
	__u64 before[PAGES];

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	frames_note(&self->ex, &self->region, before);
	EXPECT_EQ(0, exclusive_close(&self->other));
	child_kill(&self->child);
	region_drain_batches();
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_PRESENT, 1));
	region_fill(&self->region);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &self->region, before));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->region, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* Writes to every second page. */
static int write_half(struct child *c, void *arg)
{
	struct region *r = arg;
	size_t i;

	r->id = pattern_new_id();
	for (i = 0; i < r->pages; i += 2)
		region_fill_page(r, i);
	return !child_tell(c) || !child_hear(c);
}

TEST_F(exclusive_fork, child_that_writes_gets_a_copy)
{
	size_t i, own = 0, shared = 0;

	ASSERT_EQ(0, child_start(&self->child, write_half, &self->region));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, exclusive_open(&self->other, self->child.pid));
	for (i = 0; i < PAGES; i++) {
		__u64 entry = exclusive_at(&self->other, region_page(&self->region, i));

		own += (entry & EX_STATE) == EX_OWN && ex_map_count(entry) == 1;
		shared += (entry & EX_STATE) == EX_PRESENT && ex_map_count(entry) == 2;
	}
	EXPECT_EQ(PAGES / 2, own);
	EXPECT_EQ(PAGES / 2, shared);
	EXPECT_EQ(0, region_damaged(&self->region));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_HARNESS_MAIN
