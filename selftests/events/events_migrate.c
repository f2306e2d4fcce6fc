// SPDX-License-Identifier: GPL-2.0
/*
 * Migration clears the bit when it begins, and sets it for the new frame when it ends. The
 * events name the process that migrates, the owner or another one.
 */
#include <linux/mempolicy.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		16
#define SPREAD		8192	/* pages, of which every second is freed */
#define SOFT_OFFLINE	"/sys/devices/system/memory/soft_offline_page"
#define UNPOISON	"/sys/kernel/debug/hwpoison/unpoison-pfn"
#define SECOND_NODE	"/sys/devices/system/node/node1"

FIXTURE(events_migrate) {
	struct region region;
	struct traced self;
	struct child child;
	struct actor by;
	__u64 frames[PAGES], after[PAGES];
};

FIXTURE_SETUP(events_migrate)
{
	/* A page that is on the second node already does not move there. */
	ASSERT_EQ(0, node_bind(0));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, node_unbind());
	region_drain_batches();
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(events_migrate)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

static size_t count_moved(FIXTURE_DATA(events_migrate) * self, const struct actor *by)
{
	return STEPS_TAKEN(&self->self.log, &self->region,
			   { OP_CLEAR, CAUSE_MIGRATE_START, self->frames, by },
			   { OP_SET, CAUSE_MIGRATE_END, self->after, by });
}

TEST_F(events_migrate, moved_by_the_process_itself)
{
	ASSERT_EQ(0, migrate_region(&self->self.ex, &self->region));
	EXPECT_EQ(0, frames_kept(&self->self.ex, &self->region, self->frames));
	frames_note(&self->self.ex, &self->region, self->after);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_moved(self, NULL));
}

/* A shared page has no bit to move. */
TEST_F(events_migrate, shared_page_moves_without_a_change)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, migrate_region(&self->self.ex, &self->region));
	EXPECT_EQ(0, frames_kept(&self->self.ex, &self->region, self->frames));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

/* A pinned page cannot be moved; the attempt changes nothing. */
TEST_F(events_migrate, pinned_page_is_left_alone)
{
	struct pin pin;

	ASSERT_EQ(0, pin_take(&pin, self->region.addr, PAGES, PIN_WRITE));
	ASSERT_EQ(0, traced_again(&self->self));
	EXPECT_GT(0, migrate_region(&self->self.ex, &self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->region, self->frames));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
	EXPECT_EQ(0, pin_release(&pin));
}

/* Pages to be moved, and their process. */
struct order {
	pid_t pid;
	const struct region *region;
};

/* Soft-offlines the frames, by their physical addresses. */
static int take_frames_away(const struct order *o)
{
	int err = 0, proc = proc_pagemap_open(o->pid);
	unsigned long long frame;
	__u64 entries[PAGES];
	size_t i;

	region_drain_batches();
	if (pagemap_read(proc, o->region->addr, entries, PAGES) != PAGES)
		err = -EIO;
	for (i = 0; i < PAGES && !err; i++) {
		frame = entries[i] & PM_FRAME;
		err = write_text(SOFT_OFFLINE, "0x%llx", frame * PAGE_BYTES) ?:
		      write_text(UNPOISON, "%llu", frame);
	}
	close(proc);
	return err;
}

static int move_to_second_node(const struct order *o)
{
	void *pages[PAGES];
	int nodes[PAGES], status[PAGES];
	size_t i;

	for (i = 0; i < PAGES; i++) {
		pages[i] = region_page(o->region, i);
		nodes[i] = 1;
	}
	if (syscall(SYS_move_pages, o->pid, (long)PAGES, pages, nodes, status, MPOL_MF_MOVE)) {
		ksft_print_msg("move_pages: %s, page 0: %d\n", strerror(errno), status[0]);
		return -errno;
	}
	return 0;
}

static int compact(const struct order *o)
{
	(void)o;
	return write_text("/proc/sys/vm/compact_memory", "1");
}

struct mover {
	int (*move)(const struct order *o);
	struct order order;
};

/* Unmaps the region: only the parent has its pages. */
static int move_when_told(struct child *c, void *arg)
{
	const struct mover *m = arg;

	munmap(m->order.region->addr, PAGES * PAGE_BYTES);
	if (!child_tell(c))
		return 1;
	while (child_hear(c))
		if (m->move(&m->order) || !child_tell(c))
			return 2;
	return 0;
}

/* On return, the parent's pages are exclusive, and traced from then on. */
static void start_mover(struct __test_metadata *_metadata, FIXTURE_DATA(events_migrate) * self,
			int (*move)(const struct order *o))
{
	struct mover m = { move, { getpid(), &self->region } };

	ASSERT_EQ(0, child_start(&self->child, move_when_told, &m));
	ASSERT_TRUE(child_hear(&self->child));
	self->by = actor_of(self->child.pid);
	region_drain_batches();
	region_fill(&self->region);
	frames_note(&self->self.ex, &self->region, self->frames);
	ASSERT_EQ(0, traced_again(&self->self));
}

TEST_F(events_migrate, moved_by_another_process)
{
	start_mover(_metadata, self, take_frames_away);
	ASSERT_TRUE(child_ask(&self->child));
	EXPECT_EQ(0, frames_kept(&self->self.ex, &self->region, self->frames));
	frames_note(&self->self.ex, &self->region, self->after);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_moved(self, &self->by));
}

TEST_F(events_migrate, moved_by_another_process_to_another_node)
{
	if (access(SECOND_NODE, F_OK))
		SKIP(return, "there is one node only: move_pages(2) needs two");
	start_mover(_metadata, self, move_to_second_node);
	ASSERT_TRUE(child_ask(&self->child));
	EXPECT_EQ(0, frames_kept(&self->self.ex, &self->region, self->frames));
	frames_note(&self->self.ex, &self->region, self->after);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_moved(self, &self->by));
}

/* The kernel chooses the pages to move; each of them has both events. */
TEST_F(events_migrate, compacted_by_another_process)
{
	struct event start = { .op = OP_CLEAR, .cause = CAUSE_MIGRATE_START };
	struct event end = { .op = OP_SET, .cause = CAUSE_MIGRATE_END };
	size_t i, moved = 0, told = 0;
	struct region spread;
	__u64 *frames;
	int tries;

	start_mover(_metadata, self, compact);
	frames = calloc(SPREAD, sizeof(*frames));
	ASSERT_NE(NULL, frames);
	ASSERT_EQ(0, region_map_filled(&spread, SPREAD));
	for (i = 0; i < SPREAD; i += 2)
		ASSERT_EQ(0, madvise(region_page(&spread, i), PAGE_BYTES, MADV_DONTNEED));
	frames_note(&self->self.ex, &spread, frames);
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	for (tries = 0; tries < 10 && frames_kept(&self->self.ex, &spread, frames) == SPREAD;
	     tries++)
		ASSERT_TRUE(child_ask(&self->child));
	ASSERT_EQ(0, traced_end(&self->self));
	start.pid = self->by.pid;
	end.pid = self->by.pid;
	for (i = 1; i < SPREAD; i += 2) {
		__u64 now = frame_at(&self->self.ex, region_page(&spread, i));

		if (now == frames[i])
			continue;
		moved++;
		start.addr = region_page(&spread, i);
		end.addr = start.addr;
		start.pfn = frames[i];
		end.pfn = now;
		told += events_count(&self->self.log, &start) >= 1 &&
			events_count(&self->self.log, &end) >= 1;
	}
	ksft_print_msg("compaction moved %zu of %d pages\n", moved, SPREAD / 2);
	EXPECT_LT(0, moved);
	EXPECT_EQ(moved, told);
	free(frames);
	region_free(&spread);
}

TEST_HARNESS_MAIN
