// SPDX-License-Identifier: GPL-2.0
/* A log has the events of the target's pages, and events that the target makes. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	100
#define FOREIGN	1024	/* pages of dd's buffer, at least */

FIXTURE(events_target) {
	struct region region;
	struct traced self, other;
	struct child child;
};

FIXTURE_SETUP(events_target)
{
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
}

FIXTURE_TEARDOWN(events_target)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_TRUE(events_explained(&self->other.log));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

static int run_dd(struct child *c, void *arg)
{
	(void)arg;
	dup2(c->in, 0);
	execlp("sh", "sh", "-c",
	       "read go; dd if=/dev/zero of=/dev/null bs=4M count=1 2>/dev/null", NULL);
	return 127;
}

/* True if another process made an event at an address of the region. */
static bool is_foreign(const struct event *e, const struct region *r)
{
	return e->pid != getpid() && e->addr >= r->addr &&
	       e->addr < region_page(r, r->pages);
}

TEST_F(events_target, unrelated_process_leaves_no_trace)
{
	static const struct event dd = { .comm = "dd" }, sh = { .comm = "sh" };
	struct events *log = &self->self.log;
	size_t i, foreign = 0;
	long long seen;

	ASSERT_EQ(0, child_start(&self->child, run_dd, NULL));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	region_fill(&self->region);
	seen = stats_value("events_seen");
	ASSERT_EQ(1, write(self->child.out, "\n", 1));
	EXPECT_EQ(0, child_wait(&self->child));
	EXPECT_LE(seen + FOREIGN, stats_value("events_seen"));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(0, events_count(log, &dd));
	EXPECT_EQ(0, events_count(log, &sh));
	for (i = 0; i < log->count; i++)
		foreign += is_foreign(&log->of[i], &self->region);
	EXPECT_EQ(0, foreign);
	EXPECT_EQ(PAGES, STEPS_TAKEN(log, &self->region, { .op = OP_SET, .cause = CAUSE_NEW }));
}

/* Each log has the events of its own pages, at the same addresses. */
TEST_F(events_target, two_targets_have_a_log_each)
{
	struct region *r = &self->region;
	struct actor child;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, r));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	child = actor_of(self->child.pid);
	ASSERT_TRUE(child_ask(&self->child));
	region_fill(r);
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r, { .op = OP_SET, .cause = CAUSE_NEW }));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->other.log, r,
				     { .op = OP_SET, .cause = CAUSE_NEW, .by = &child }));
}

TEST_F(events_target, one_target_stops_and_the_other_goes_on)
{
	struct region *r = &self->region;
	struct actor child;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, r));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	child = actor_of(self->child.pid);
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_TRUE(child_ask(&self->child));
	region_fill(r);
	ASSERT_EQ(0, traced_end(&self->other));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, r));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->other.log, r,
				     { .op = OP_SET, .cause = CAUSE_NEW, .by = &child }));
}

/* The log of an address space that is gone is one line that begins with '#'. */
static void expect_gone(struct __test_metadata *_metadata, pid_t pid)
{
	char path[64], text[256] = "";
	struct events log = {};

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/events", pid);
	ASSERT_LT(0, read_text(path, text, sizeof(text)));
	EXPECT_EQ('#', *text);
	EXPECT_EQ(strlen(text) - 1, strcspn(text, "\n"));
	EXPECT_EQ(0, events_read(&log, pid));
	EXPECT_TRUE(log.gone);
	EXPECT_EQ(0, log.count);
	events_free(&log);
	EXPECT_EQ(0, events_stop(pid));
	EXPECT_EQ(0, events_started(pid));
}

TEST_F(events_target, target_exits)
{
	pid_t pid;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, child_fill_when_told, &self->region));
	pid = self->child.pid;
	ASSERT_TRUE(child_ask(&self->child));
	ASSERT_EQ(0, events_read(&self->other.log, pid));
	EXPECT_LE(PAGES, self->other.log.count);
	EXPECT_FALSE(self->other.log.gone);
	child_kill(&self->child);
	expect_gone(_metadata, pid);
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(-ENOENT, detach(pid));
}

static int exec_when_told(struct child *c, void *arg)
{
	region_fill(arg);
	if (!child_hear(c))
		return 1;
	execlp("sleep", "sleep", "1000", NULL);
	return 127;
}

/* exec() ends the target: it is an address space, not a process. */
TEST_F(events_target, target_execs)
{
	pid_t pid;

	ASSERT_EQ(0, traced_child(&self->other, &self->child, exec_when_told, &self->region));
	pid = self->child.pid;
	ASSERT_TRUE(child_tell(&self->child));
	ASSERT_FALSE(child_hear(&self->child));
	expect_gone(_metadata, pid);
	EXPECT_EQ(0, kill(pid, 0));
	EXPECT_EQ(0, traced_close(&self->other));
}

/* Events have the thread group's PID and the thread's name. */
static void *fill_by_another_name(void *arg)
{
	prctl(PR_SET_NAME, "a thread, named");
	region_fill(arg);
	return NULL;
}

TEST_F(events_target, thread_is_told_by_its_name_and_process)
{
	struct actor thread = { .pid = getpid(), .comm = "a thread, named" };
	pthread_t id;

	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, pthread_create(&id, NULL, fill_by_another_name, &self->region));
	ASSERT_EQ(0, pthread_join(id, NULL));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { .op = OP_SET, .cause = CAUSE_NEW, .by = &thread }));
}

TEST_HARNESS_MAIN
