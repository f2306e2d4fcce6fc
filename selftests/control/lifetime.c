// SPDX-License-Identifier: GPL-2.0
/* Targets that end, and readers that are killed. */
#include <fcntl.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 600

FIXTURE(lifetime) {
	struct region region;	/* inherited by the child */
	struct child child;
	pid_t pid;		/* of the child, kept after its end */
};

static int fork_from(struct child *c, int (*body)(struct child *c, void *arg),
		     void *arg, pid_t *pid)
{
	int err = child_start(c, body, arg);

	*pid = c->pid;
	return err;
}

static int touch_and_wait(struct child *c, void *arg)
{
	struct region *r = arg;

	region_fill(r);
	return !child_tell(c) || !child_hear(c);
}

FIXTURE_SETUP(lifetime)
{
	ASSERT_EQ(0, region_map_private_anon(&self->region, PAGES));
	ASSERT_EQ(0, fork_from(&self->child, touch_and_wait, &self->region,
			       &self->pid));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, attach(self->pid));
}

FIXTURE_TEARDOWN(lifetime)
{
	if (is_attached(self->pid))
		EXPECT_EQ(0, detach(self->pid));
	child_kill(&self->child);
	region_free(&self->region);
}

static long present(int fd, const struct region *r)
{
	return count_entries(fd, r->addr, r->pages, PM_PRESENT);
}

TEST_F(lifetime, target_exits)
{
	long long targets = stats_value("targets");
	__u64 entry;
	int fd;

	fd = target_open(self->pid);
	ASSERT_LE(0, fd);
	EXPECT_EQ(PAGES, present(fd, &self->region));
	child_kill(&self->child);
	EXPECT_EQ(0, pagemap_read(fd, self->region.addr, &entry, 1));
	close(fd);
	fd = target_open(self->pid);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, pagemap_read(fd, self->region.addr, &entry, 1));
	close(fd);
	EXPECT_EQ(targets, stats_value("targets"));
	EXPECT_EQ(0, detach(self->pid));
	EXPECT_EQ(-ENOENT, detach(self->pid));
	EXPECT_EQ(targets - 1, stats_value("targets"));
}

static int exec_something_else(struct child *c, void *arg)
{
	region_fill(arg);
	if (!child_tell(c) || !child_hear(c))
		return 1;
	execlp("sleep", "sleep", "1000", NULL);
	return 127;
}

/* execve ends the attached address space, not the process. */
TEST_F(lifetime, target_execs)
{
	__u64 entry;
	struct child c;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, fork_from(&c, exec_something_else, &self->region, &pid));
	ASSERT_TRUE(child_hear(&c));
	ASSERT_EQ(0, attach(pid));
	fd = target_open(pid);
	EXPECT_EQ(PAGES, present(fd, &self->region));
	ASSERT_TRUE(child_tell(&c));
	/* The pipe closes on exec. */
	ASSERT_FALSE(child_hear(&c));
	EXPECT_EQ(0, pagemap_read(fd, self->region.addr, &entry, 1));
	EXPECT_EQ(0, detach(pid));
	close(fd);

	EXPECT_EQ(0, attach(pid));
	fd = target_open(pid);
	EXPECT_EQ(1, pagemap_read(fd, self->region.addr, &entry, 1));
	EXPECT_EQ(0, present(fd, &self->region));
	EXPECT_EQ(0, detach(pid));
	close(fd);
	child_kill(&c);
}

/* A process that reuses a dead target's PID is not shown in its place. */
TEST_F(lifetime, pid_is_used_again)
{
	struct child second;
	__u64 entry;
	int fd;

	child_kill(&self->child);
	ASSERT_EQ(0, child_start_with_pid(&second, self->pid, touch_and_wait,
					  &self->region));
	ASSERT_TRUE(child_hear(&second));
	fd = target_open(self->pid);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, pagemap_read(fd, self->region.addr, &entry, 1));
	EXPECT_EQ(0, detach(self->pid));
	close(fd);
	EXPECT_EQ(0, attach(self->pid));
	fd = target_open(self->pid);
	EXPECT_EQ(1, pagemap_read(fd, self->region.addr, &entry, 1));
	EXPECT_EQ(0, detach(self->pid));
	close(fd);
	child_kill(&second);
}

struct hoard {
	struct cgroup cg;
	size_t bytes;
};

static int hoard(struct child *c, void *arg)
{
	struct hoard *h = arg;
	void *p;

	if (cgroup_enter(&h->cg))
		return 1;
	p = mmap(NULL, h->bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return 2;
	return !child_tell(c) || !child_hear(c);
}

/* A target's memory is freed on exit, although it is attached and its file open. */
TEST_F(lifetime, memory_of_a_dead_target_is_freed)
{
	struct hoard h = { .bytes = 64 << 20 };
	struct child c;
	int fd, tries;
	pid_t pid;

	ASSERT_EQ(0, cgroup_create(&h.cg));
	ASSERT_EQ(0, fork_from(&c, hoard, &h, &pid));
	EXPECT_TRUE(child_hear(&c));
	EXPECT_EQ(0, attach(pid));
	fd = target_open(pid);
	EXPECT_LE(0, fd);
	EXPECT_LE((long long)h.bytes, cgroup_value(&h.cg, "memory.current"));
	child_kill(&c);
	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		if (cgroup_value(&h.cg, "memory.current") < (long long)h.bytes / 8)
			break;
		usleep(50000);
	}
	EXPECT_GT((long long)h.bytes / 8, cgroup_value(&h.cg, "memory.current"));
	EXPECT_EQ(0, detach(pid));
	close(fd);
	EXPECT_EQ(0, cgroup_destroy(&h.cg));
}

/* Reads until a read fails or returns 0; exits with the errno or 0. */
static int read_until_it_ends(struct child *c, void *arg)
{
	static __u64 entries[4096];
	pid_t pid = *(pid_t *)arg;
	int fd = target_open(pid);
	ssize_t got;

	if (fd < 0 || !child_tell(c))
		return 255;
	do {
		got = pread(fd, entries, sizeof(entries), 1 << 20);
	} while (got > 0);
	return got < 0 ? errno : 0;
}

TEST_F(lifetime, detached_while_read)
{
	struct child reader;
	int round, status;

	for (round = 0; round < 30; round++) {
		ASSERT_EQ(0, child_start(&reader, read_until_it_ends, &self->pid));
		ASSERT_TRUE(child_hear(&reader));
		usleep(1000 * (round % 5));
		ASSERT_EQ(0, detach(self->pid));
		status = child_wait(&reader);
		ASSERT_TRUE(WIFEXITED(status));
		if (WEXITSTATUS(status))
			EXPECT_EQ(EIO, WEXITSTATUS(status));
		ASSERT_EQ(0, attach(self->pid));
	}
}

TEST_F(lifetime, target_exits_while_read)
{
	struct child reader, target;
	int round, status;
	pid_t pid;

	for (round = 0; round < 30; round++) {
		ASSERT_EQ(0, fork_from(&target, touch_and_wait, &self->region, &pid));
		ASSERT_TRUE(child_hear(&target));
		ASSERT_EQ(0, attach(pid));
		ASSERT_EQ(0, child_start(&reader, read_until_it_ends, &pid));
		ASSERT_TRUE(child_hear(&reader));
		usleep(1000 * (round % 5));
		child_kill(&target);
		status = child_wait(&reader);
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, WEXITSTATUS(status));
		ASSERT_EQ(0, detach(pid));
	}
}

/* A reader of the old address space gets the same end as on exit. */
TEST_F(lifetime, target_execs_while_read)
{
	struct child reader, target;
	int round, status;
	pid_t pid;

	for (round = 0; round < 30; round++) {
		ASSERT_EQ(0, fork_from(&target, exec_something_else, &self->region, &pid));
		ASSERT_TRUE(child_hear(&target));
		ASSERT_EQ(0, attach(pid));
		ASSERT_EQ(0, child_start(&reader, read_until_it_ends, &pid));
		ASSERT_TRUE(child_hear(&reader));
		usleep(1000 * (round % 5));
		ASSERT_TRUE(child_tell(&target));
		status = child_wait(&reader);
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, WEXITSTATUS(status));
		/* The process still exists, with another program. */
		EXPECT_EQ(0, kill(pid, 0));
		ASSERT_EQ(0, detach(pid));
		child_kill(&target);
	}
}

TEST_HARNESS_MAIN
