// SPDX-License-Identifier: GPL-2.0
/*
 * More events than the ring has room for. The log has the newest without a gap, and the
 * number of those dropped.
 */
#include <linux/mman.h>
#include <sched.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		8192
#define CHILDREN	2
#define MANY		8	/* events of a burst, at least, in rings */
#define ENOUGH		2	/* on the debug kernel, ten times as slow */

FIXTURE(events_burst) {
	struct region region;
	struct traced self, other[CHILDREN];
	struct child child[CHILDREN];
	long long ring, events, seen, dropped;
};

FIXTURE_SETUP(events_burst)
{
	const char *kernel = getenv("XPAGEMAP_KERNEL");

	self->ring = stats_value("events_max");
	ASSERT_LT(0, self->ring);
	self->events = self->ring * (kernel && !strcmp(kernel, "debug") ? ENOUGH : MANY);
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	self->seen = stats_value("events_seen");
	self->dropped = stats_value("events_dropped");
	ASSERT_LE(0, self->seen);
	ASSERT_LE(0, self->dropped);
}

FIXTURE_TEARDOWN(events_burst)
{
	int i;

	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	for (i = 0; i < CHILDREN; i++) {
		EXPECT_TRUE(events_explained(&self->other[i].log));
		EXPECT_EQ(0, traced_close(&self->other[i]));
		child_kill(&self->child[i]);
	}
	region_free(&self->region);
}

/* Writes a byte of each page. */
static void touch(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		__atomic_store_n(region_page(r, i), i, __ATOMIC_RELAXED);
}

/* Shares the pages with a child that exits, and writes to them: two events a page. */
static int share_and_take_over(const struct region *r, size_t rounds)
{
	int status;
	pid_t pid;

	touch(r);
	while (rounds--) {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return -errno;
		touch(r);
	}
	return 0;
}

/* Unmaps and frees the pages, and writes to new ones: three events a page. */
static int free_and_touch(const struct region *r, size_t rounds)
{
	touch(r);
	while (rounds--) {
		if (madvise(r->addr, r->pages * PAGE_BYTES, MADV_DONTNEED))
			return -errno;
		touch(r);
	}
	return 0;
}

/* Number of pages whose events alternate, set and clear, and end with set. */
static size_t count_gapless(const struct events *log, const struct region *r)
{
	const struct event *const *e;
	size_t i, j, count, gapless = 0;

	for (i = 0; i < r->pages; i++) {
		count = events_at(log, region_page(r, i), &e);
		for (j = 1; j < count; j++)
			if (e[j]->op == e[j - 1]->op)
				break;
		gapless += count && j == count && e[j - 1]->op == OP_SET;
	}
	return gapless;
}

static size_t count_within(const struct events *log, const struct region *r)
{
	const struct event *const *e;
	size_t i, count = 0;

	for (i = 0; i < r->pages; i++)
		count += events_at(log, region_page(r, i), &e);
	return count;
}

/* Events in the log and events dropped add up to all that the test made. */
static void expect_nothing_lost_silently(struct __test_metadata *_metadata,
					 FIXTURE_DATA(events_burst) * self, long long least)
{
	struct events *log = &self->self.log;
	long long seen, dropped, logged;

	ASSERT_EQ(0, traced_end(&self->self));
	seen = stats_value("events_seen") - self->seen;
	dropped = stats_value("events_dropped") - self->dropped;
	logged = count_within(log, &self->region);
	ksft_print_msg("%lld events at least; %lld seen, %lld dropped, %lld in the log\n",
		       least, seen, dropped, logged);
	EXPECT_LE(least, seen);
	EXPECT_LE(least, logged + dropped);
	EXPECT_LE(least, logged + (long long)log->dropped);
	/* No event is both in the log and dropped, and none is dropped while there is room. */
	EXPECT_GE(seen, logged + (long long)log->dropped);
	EXPECT_GE(seen - self->ring, (long long)log->dropped);
	EXPECT_GE(self->ring, (long long)log->count);
	/* With the frees, which have no address. */
	EXPECT_LE(self->ring * 9 / 10, (long long)log->count);
	EXPECT_EQ(PAGES, count_gapless(log, &self->region));
	EXPECT_EQ(0, violations_of(&self->self.ex));
}

TEST_F(events_burst, forks)
{
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, share_and_take_over(&self->region, self->events / (2 * PAGES)));
	expect_nothing_lost_silently(_metadata, self, self->events + PAGES);
}

/* On one CPU: another CPU's batch would free pages later. */
TEST_F(events_burst, frees)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(here), &here));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	region_drain_batches();
	ASSERT_EQ(0, free_and_touch(&self->region, self->events / (2 * PAGES)));
	expect_nothing_lost_silently(_metadata, self, self->events);
}

/* The ring has room for all events: none is dropped. */
TEST_F(events_burst, just_enough_room)
{
	size_t rounds = self->ring / (4 * PAGES);

	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, share_and_take_over(&self->region, rounds));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(0, self->self.log.dropped);
	EXPECT_EQ((2 * rounds + 1) * PAGES, count_within(&self->self.log, &self->region));
	EXPECT_EQ(PAGES, count_gapless(&self->self.log, &self->region));
}

static int burst_when_told(struct child *c, void *arg)
{
	const FIXTURE_DATA(events_burst) * self = arg;

	if (!child_hear(c) ||
	    share_and_take_over(&self->region, self->events / CHILDREN / (2 * PAGES)))
		return 1;
	return !child_tell(c) || !child_hear(c);
}

/* Two targets share one ring; dropped events may be of either. */
TEST_F(events_burst, two_processes_at_once)
{
	long long seen, dropped;
	size_t logged = 0;
	int i;

	for (i = 0; i < CHILDREN; i++)
		ASSERT_EQ(0, traced_child(&self->other[i], &self->child[i], burst_when_told,
					  self));
	for (i = 0; i < CHILDREN; i++)
		ASSERT_TRUE(child_tell(&self->child[i]));
	for (i = 0; i < CHILDREN; i++)
		ASSERT_TRUE(child_hear(&self->child[i]));
	/* Both, before a log is read: the ring gets the events of this process too. */
	for (i = 0; i < CHILDREN; i++)
		ASSERT_EQ(0, events_stop(self->child[i].pid));
	for (i = 0; i < CHILDREN; i++) {
		ASSERT_EQ(0, traced_end(&self->other[i]));
		logged += count_within(&self->other[i].log, &self->region);
	}
	seen = stats_value("events_seen") - self->seen;
	dropped = stats_value("events_dropped") - self->dropped;
	ksft_print_msg("%lld seen, %lld dropped, %zu in both logs\n", seen, dropped, logged);
	EXPECT_LE(self->events, seen);
	EXPECT_LE(self->events, (long long)logged + dropped);
	EXPECT_LE((size_t)self->ring * 9 / 10, logged);
}

TEST_HARNESS_MAIN
