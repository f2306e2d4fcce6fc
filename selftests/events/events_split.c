// SPDX-License-Identifier: GPL-2.0
/*
 * Splits of large folios, and collapses by the process itself, by another process and by
 * khugepaged.
 */
#include <linux/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		PMD_PAGES
#define PUNCHED		7
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define TRIES		3000
#define PAUSE_US	20000

FIXTURE(events_split) {
	struct region region, head, tails;
	struct traced self;
	struct child child;
	struct setting sleep, scan;
	__u64 frames[PAGES], after[PAGES];
};

FIXTURE_SETUP(events_split)
{
	ASSERT_EQ(0, thp_map(&self->region, 1));
	self->head = region_part(&self->region, 0, 1);
	self->tails = region_part(&self->region, 1, PAGES - 1);
	region_drain_batches();
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(events_split)
{
	EXPECT_EQ(0, setting_restore(&self->sleep));
	EXPECT_EQ(0, setting_restore(&self->scan));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

/* The first page's bit is cleared; after the split, each page's bit is set. */
TEST_F(events_split, split_folio)
{
	ASSERT_EQ(0, thp_split(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, thp_count(&self->self.ex, &self->region, 0));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_CLEAR, CAUSE_THP_SPLIT, self->frames, NULL },
				 { OP_SET, CAUSE_THP_SPLIT, self->frames, NULL }));
	EXPECT_EQ(PAGES - 1, STEPS_TAKEN(&self->self.log, &self->tails,
					 { OP_SET, CAUSE_THP_SPLIT, self->frames + 1, NULL }));
}

TEST_F(events_split, split_folio_mapped_by_ptes)
{
	ASSERT_EQ(0, mprotect(self->region.addr, PAGE_BYTES, PROT_READ));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, thp_split(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, thp_count(&self->self.ex, &self->region, 0));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_CLEAR, CAUSE_THP_SPLIT, self->frames, NULL },
				     { OP_SET, CAUSE_THP_SPLIT, self->frames, NULL }));
}

/*
 * Pages that are not mapped any more still have their bit, and the split clears it. The
 * first page keeps it until it is freed. Their events have no address.
 */
TEST_F(events_split, pages_not_mapped_lose_the_bit)
{
	struct region punched = region_part(&self->region, PUNCHED, PUNCHED);
	struct events *log = &self->self.log;
	__u64 *frames = self->frames;

	ASSERT_EQ(0, madvise(punched.addr, PUNCHED * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->head.addr, PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, thp_split(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PUNCHED, steps_of_frames(log, frames + PUNCHED, PUNCHED, OP_CLEAR,
					   CAUSE_THP_SPLIT));
	EXPECT_EQ(1, steps_of_frames(log, frames, 1, OP_CLEAR, CAUSE_FREE));
	EXPECT_EQ(PUNCHED, steps_none(log, &punched));
	EXPECT_EQ(1, steps_none(log, &self->head));
}

/* Writes to small pages, for the collapse. */
static void make_small(struct __test_metadata *_metadata, FIXTURE_DATA(events_split) * self)
{
	ASSERT_EQ(0, madvise(self->region.addr, PMD_BYTES, MADV_DONTNEED));
	region_fill(&self->region);
	region_drain_batches();
	ASSERT_EQ(PAGES, thp_count(&self->self.ex, &self->region, 0));
	frames_note(&self->self.ex, &self->region, self->frames);
	ASSERT_EQ(0, traced_again(&self->self));
}

/*
 * The old pages are unmapped, and the new folio's bit is set.
 */
static void expect_collapsed(struct __test_metadata *_metadata,
			     FIXTURE_DATA(events_split) * self, const struct actor *by)
{
	struct event set = { .op = OP_SET, .cause = CAUSE_COLLAPSE, .addr = self->head.addr };
	const struct event *e;

	frames_note(&self->self.ex, &self->region, self->after);
	region_drain_batches();
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_EQ(PAGES, thp_count(&self->self.ex, &self->region, EX_SHAPE));
	EXPECT_EQ(1, events_count(&self->self.log, &set));
	e = events_next(&self->self.log, NULL, &set);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(self->after[0], e->pfn);
	EXPECT_EQ(by->pid, e->pid);
	EXPECT_STREQ(by->comm, e->comm);
	EXPECT_EQ(PAGES, steps_of_frames(&self->self.log, self->frames, PAGES, OP_CLEAR,
					 CAUSE_UNMAP));
}

TEST_F(events_split, collapsed_by_the_process_itself)
{
	struct actor by = actor_self();

	make_small(_metadata, self);
	ASSERT_EQ(0, thp_collapse(&self->region, 0));
	expect_collapsed(_metadata, self, &by);
}

struct request {
	pid_t pid;
	struct iovec range;
};

static int collapse_when_told(struct child *c, void *arg)
{
	const struct request *rq = arg;
	int fd = syscall(SYS_pidfd_open, rq->pid, 0);

	if (fd < 0 || !child_hear(c))
		return 1;
	if (syscall(SYS_process_madvise, fd, &rq->range, 1, MADV_COLLAPSE, 0) < 0)
		return 2;
	return !child_tell(c) || !child_hear(c);
}

TEST_F(events_split, collapsed_by_another_process)
{
	struct request rq = { getpid(), { self->region.addr, PMD_BYTES } };
	struct actor by;

	ASSERT_EQ(0, madvise(self->region.addr, PMD_BYTES, MADV_DONTFORK));
	ASSERT_EQ(0, child_start(&self->child, collapse_when_told, &rq));
	by = actor_of(self->child.pid);
	make_small(_metadata, self);
	ASSERT_EQ(0, madvise(self->region.addr, PMD_BYTES, MADV_HUGEPAGE));
	ASSERT_TRUE(child_ask(&self->child));
	expect_collapsed(_metadata, self, &by);
}

TEST_F(events_split, collapsed_by_khugepaged)
{
	struct actor by = actor_thread("khugepaged");
	int tries;

	ASSERT_LT(0, by.pid);
	make_small(_metadata, self);
	ASSERT_EQ(0, madvise(self->region.addr, PMD_BYTES, MADV_HUGEPAGE));
	ASSERT_EQ(0, setting_change(&self->scan, KHUGEPAGED "pages_to_scan", "65536"));
	ASSERT_EQ(0, setting_change(&self->sleep, KHUGEPAGED "scan_sleep_millisecs", "10"));
	for (tries = 0; tries < TRIES; tries++) {
		if (thp_count(&self->self.ex, &self->region, EX_SHAPE) == PAGES)
			break;
		usleep(PAUSE_US);
	}
	expect_collapsed(_metadata, self, &by);
}

TEST_HARNESS_MAIN
