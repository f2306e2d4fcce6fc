// SPDX-License-Identifier: GPL-2.0
/*
 * Tracing starts and stops, logs are read, and targets are attached and detached, while
 * events fire on every CPU. Each read is complete and in order.
 */
#include <linux/mman.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		64
#define ROUNDS		30
#define PAUSE_US	1000

FIXTURE(events_cycle) {
	struct region region;
	struct exclusive ex;
	struct storm storm;
	struct child child;
};

FIXTURE_SETUP(events_cycle)
{
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
}

FIXTURE_TEARDOWN(events_cycle)
{
	struct events log = {};

	/* Tracing works after the storm. */
	EXPECT_EQ(0, events_stop(getpid()));
	EXPECT_EQ(0, events_start(getpid()));
	EXPECT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	region_fill(&self->region);
	EXPECT_EQ(0, events_stop(getpid()));
	EXPECT_EQ(0, events_read(&log, getpid()));
	EXPECT_TRUE(events_explained(&log));
	EXPECT_LE(PAGES, log.count);
	events_free(&log);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	child_kill(&self->child);
	region_free(&self->region);
}

/* Frees its half of the pages, and writes to new ones. */
static int touch(struct storm_thread *t)
{
	FIXTURE_DATA(events_cycle) * self = t->arg;
	struct region half = region_part(&self->region, t->number * PAGES / 2, PAGES / 2);

	if (madvise(half.addr, PAGES / 2 * PAGE_BYTES, MADV_DONTNEED))
		return -errno;
	region_fill(&half);
	return 0;
}

static int share(struct storm_thread *t)
{
	pid_t pid = fork();
	int status;

	(void)t;
	if (!pid)
		_exit(0);
	return pid < 0 || waitpid(pid, &status, 0) != pid ? -errno : 0;
}

static int start_and_stop(struct storm_thread *t)
{
	int err = t->rounds % 2 ? events_stop(getpid()) : events_start(getpid());

	usleep(t->rounds % 7 * PAUSE_US);
	return err;
}

static int read_log(struct storm_thread *t)
{
	struct events log = {};
	int err = events_read(&log, getpid());

	(void)t;
	if (!err && log.gone)
		err = -ESTALE;
	events_free(&log);
	return err;
}

TEST_F_TIMEOUT(events_cycle, started_and_stopped_while_events_fire, STORM_TIMEOUT)
{
	struct storm *s = &self->storm;

	storm_add(s, "touched", touch, 0, self);
	storm_add(s, "touched", touch, 1, self);
	storm_add(s, "forked", share, 0, self);
	storm_add(s, "started or stopped", start_and_stop, 0, self);
	storm_add(s, "read", read_log, 0, self);
	storm_add(s, "read", read_log, 1, self);
	EXPECT_EQ(0, storm_run(s));
}

/* Frees and writes memory until it is killed. */
static int churn_memory(struct child *c, void *arg)
{
	struct region *r = arg;

	if (!child_tell(c))
		return 1;
	for (;;) {
		madvise(r->addr, r->pages * PAGE_BYTES, MADV_DONTNEED);
		region_fill(r);
	}
}

static int attach_and_detach(struct storm_thread *t)
{
	FIXTURE_DATA(events_cycle) * self = t->arg;
	int err = attach(self->child.pid) ?: events_start(self->child.pid);

	usleep(t->rounds % 5 * PAUSE_US);
	return err ?: detach(self->child.pid);
}

/* The child may not be attached (ENOENT), or be detached during the read (EIO). */
static int read_child(struct storm_thread *t)
{
	FIXTURE_DATA(events_cycle) * self = t->arg;
	struct events log = {};
	int err = events_read(&log, self->child.pid);

	events_free(&log);
	return err == -ENOENT || err == -EIO ? 0 : err;
}

TEST_F_TIMEOUT(events_cycle, attached_and_detached_while_traced, STORM_TIMEOUT)
{
	struct storm *s = &self->storm;

	ASSERT_EQ(0, child_start(&self->child, churn_memory, &self->region));
	ASSERT_TRUE(child_hear(&self->child));
	storm_add(s, "attached and detached", attach_and_detach, 0, self);
	storm_add(s, "read", read_child, 0, self);
	storm_add(s, "read", read_child, 1, self);
	storm_add(s, "started or stopped", start_and_stop, 0, self);
	EXPECT_EQ(0, storm_run(s));
	if (is_attached(self->child.pid))
		EXPECT_EQ(0, detach(self->child.pid));
}

/* Reads the log until the target's memory is gone. */
static int read_until_gone(struct child *c, void *arg)
{
	pid_t pid = *(pid_t *)arg;
	struct events log = {};
	int err = 0;

	if (!child_tell(c))
		return 1;
	while (!err && !log.gone)
		err = events_read(&log, pid);
	events_free(&log);
	return -err;
}

TEST_F_TIMEOUT(events_cycle, target_exits_while_traced_and_read, STORM_TIMEOUT)
{
	struct child target, reader;
	struct events log = {};
	int round;
	pid_t pid;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, child_start(&target, churn_memory, &self->region));
		pid = target.pid;
		ASSERT_TRUE(child_hear(&target));
		ASSERT_EQ(0, attach(pid));
		ASSERT_EQ(0, events_start(pid));
		ASSERT_EQ(0, child_start(&reader, read_until_gone, &pid));
		ASSERT_TRUE(child_hear(&reader));
		usleep(round % 5 * PAUSE_US);
		child_kill(&target);
		EXPECT_EQ(0, child_wait(&reader));
		EXPECT_EQ(0, events_read(&log, pid));
		EXPECT_TRUE(log.gone);
		EXPECT_EQ(0, log.count);
		ASSERT_EQ(0, detach(pid));
	}
	events_free(&log);
}

TEST_HARNESS_MAIN
