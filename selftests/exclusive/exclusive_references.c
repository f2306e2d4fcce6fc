// SPDX-License-Identifier: GPL-2.0
/*
 * References by vmsplice, which are no pins: a write may replace the page, and many of
 * them make a small folio look pinned.
 */
#include <fcntl.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	4
#define PIPES	8
#define SLOTS	256	/* of a pipe of 1 MiB */
#define BIAS	1024	/* references that look like a pin: GUP_PIN_COUNTING_BIAS */

FIXTURE(exclusive_references) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	int pipes[PIPES][2];
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_references)
{
	int i;

	ASSERT_EQ(0, kpage_open(&self->kp));
	for (i = 0; i < PIPES; i++) {
		ASSERT_EQ(0, pipe2(self->pipes[i], O_CLOEXEC | O_NONBLOCK));
		ASSERT_LE(SLOTS * (int)PAGE_BYTES,
			  fcntl(self->pipes[i][1], F_SETPIPE_SZ, SLOTS * PAGE_BYTES));
	}
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	region_drain_batches();
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_references)
{
	int i;

	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	for (i = 0; i < PIPES; i++) {
		close(self->pipes[i][0]);
		close(self->pipes[i][1]);
	}
	region_free(&self->region);
	kpage_close(&self->kp);
}

/* Takes @times references to the page, by bytes in pipes. */
static int refer(int pipes[PIPES][2], void *page, int times)
{
	struct iovec iov = { page, 1 };
	int i;

	for (i = 0; i < times; i++)
		if (vmsplice(pipes[i / SLOTS][1], &iov, 1, 0) != 1)
			return -errno;
	return 0;
}

/* The pipe keeps the old page, and the parent writes to a new one. */
TEST_F(exclusive_references, spliced_page_is_shared_and_left_by_the_writer)
{
	struct region *r = &self->region;
	struct iovec iov = { r->addr, PAGE_BYTES };
	unsigned char content[PAGE_BYTES];
	__u64 id = r->id;

	ASSERT_EQ(PAGE_BYTES, vmsplice(self->pipes[0][1], &iov, 1, 0));
	EXPECT_EQ(EX_OWN, exclusive_at(&self->ex, r->addr) & EX_STATE);
	EXPECT_EQ(2, ex_references(exclusive_at(&self->ex, r->addr)));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(0, exclusive_close(&self->other));
	child_kill(&self->child);
	region_drain_batches();

	/* The last owner reuses its pages, except the one that the pipe refers to. */
	r->id = pattern_new_id();
	region_fill(r);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(PAGES - 1, frames_kept(&self->ex, r, self->frames));
	EXPECT_NE(self->frames[0], frame_at(&self->ex, r->addr));
	ASSERT_EQ(PAGE_BYTES, read(self->pipes[0][0], content, PAGE_BYTES));
	EXPECT_TRUE(pattern_matches(content, id, 0));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* folio_maybe_dma_pinned() is wrong then, and PID/exclusive shows its result. */
TEST_F(exclusive_references, a_thousand_references_look_like_a_pin)
{
	struct region *r = &self->region;
	__u64 entry;

	ASSERT_EQ(0, refer(self->pipes, r->addr, BIAS - 2));
	entry = exclusive_at(&self->ex, r->addr);
	EXPECT_EQ(EX_OWN, entry & EX_STATE);
	EXPECT_EQ(BIAS - 1, ex_references(entry));
	ASSERT_EQ(0, refer(self->pipes + BIAS / SLOTS, r->addr, 1));
	entry = exclusive_at(&self->ex, r->addr);
	EXPECT_EQ(EX_OWN | EX_MAYBE_PINNED, entry & EX_STATE);
	EXPECT_EQ(BIAS, ex_references(entry));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* Shared, with as many references as a pin has: `suspected`, not `certain`. */
TEST_F(exclusive_references, fork_shares_it_where_nothing_was_ever_pinned)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, refer(self->pipes, r->addr, BIAS));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(EX_PRESENT | EX_MAYBE_PINNED,
		  exclusive_at(&self->ex, r->addr) & EX_STATE);
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(1, suspected_at(&self->ex, r->addr));
	EXPECT_EQ(0, suspected_at(&self->ex, region_page(r, 1)));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* After any pin by the process, fork takes such references for a pin, and copies. */
TEST_F(exclusive_references, fork_copies_it_once_anything_was_pinned)
{
	struct region *r = &self->region;
	struct pin pin;

	ASSERT_EQ(0, refer(self->pipes, r->addr, BIAS));
	ASSERT_EQ(0, pin_take(&pin, region_page(r, 1), 1, PIN_WRITE));
	ASSERT_EQ(0, pin_release(&pin));
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	EXPECT_EQ(EX_OWN | EX_MAYBE_PINNED, exclusive_at(&self->ex, r->addr) & EX_STATE);
	EXPECT_NE(self->frames[0], frame_at(&self->other, r->addr));
	EXPECT_EQ(PAGES - 1, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* Large folios have a pin count of their own: references do not look like pins. */
TEST_F(exclusive_references, large_folio_is_not_taken_for_pinned)
{
	struct region r;
	__u64 entry;

	ASSERT_EQ(0, thp_map(&r, 1));
	ASSERT_EQ(0, refer(self->pipes, r.addr, BIAS + 100));
	entry = exclusive_at(&self->ex, r.addr);
	EXPECT_EQ(EX_OWN, entry & EX_STATE);
	EXPECT_LT(BIAS, ex_references(entry));
	EXPECT_EQ(0, violations_of(&self->ex));
	region_free(&r);
}

TEST_HARNESS_MAIN
