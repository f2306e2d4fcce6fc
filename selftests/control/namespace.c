// SPDX-License-Identifier: GPL-2.0
/* PID namespaces: a PID written to attach is of the writer's namespace. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600

/* Memory shared by the processes. */
struct notes {
	struct region region;	/* written by the namespace's first process */
	pid_t outside;		/* that process's PID outside */
	int attached, strange;	/* results of attach inside */
	__u64 entries[PAGES];	/* read inside */
};

FIXTURE(namespace) {
	struct notes *notes;
	struct child child;
};

static int first_process(struct child *c, struct notes *notes)
{
	int fd;

	if (getpid() != 1)
		return 10;
	notes->strange = attach(notes->outside);
	notes->attached = attach(1);
	fd = target_open(1);
	if (fd < 0 || pagemap_read(fd, notes->region.addr, notes->entries, PAGES) != PAGES)
		return 12;
	return !child_tell(c) || !child_hear(c) || detach(1);
}

/* unshare(CLONE_NEWPID) puts the children into the namespace, not the caller. */
static int make_namespace(struct child *c, void *arg)
{
	struct notes *notes = arg;
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return 1;
	pid = fork();
	if (!pid)
		_exit(child_hear(c) ? first_process(c, notes) : 11);
	if (pid < 0)
		return 2;
	notes->outside = pid;
	child_tell(c);
	if (waitpid(pid, &status, 0) < 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

FIXTURE_SETUP(namespace)
{
	self->notes = mmap(NULL, sizeof(*self->notes), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->notes);
	ASSERT_EQ(0, region_map_memfd(&self->notes->region, PAGES));
	region_fill(&self->notes->region);
	ASSERT_EQ(0, region_pageout(&self->notes->region));
	ASSERT_FALSE(is_attached(1));
	ASSERT_EQ(0, child_start(&self->child, make_namespace, self->notes));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_LT(2, self->notes->outside);
}

FIXTURE_TEARDOWN(namespace)
{
	if (is_attached(1))
		EXPECT_EQ(0, detach(1));
	/* A PID namespace ends with its first process. */
	if (self->notes->outside > 0)
		kill(self->notes->outside, SIGKILL);
	child_wait(&self->child);
	region_free(&self->notes->region);
}

TEST_F(namespace, attached_from_outside)
{
	struct source src;
	struct survey s;

	ASSERT_EQ(0, source_open(&src, self->notes->outside));
	EXPECT_EQ(0, survey_region(&src, &self->notes->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "the namespace's first process");
	EXPECT_EQ(0, source_close(&src));
}

/* Inside, the process has PID 1, and its PID outside does not exist. */
TEST_F(namespace, attached_from_inside)
{
	struct notes *notes = self->notes;
	__u64 seen[PAGES];
	struct source src;
	struct survey s;
	int fd;

	ASSERT_TRUE(child_tell(&self->child));
	ASSERT_TRUE(child_hear(&self->child));
	EXPECT_EQ(-ESRCH, notes->strange);
	EXPECT_EQ(0, notes->attached);
	/* From outside: the same entries, and the bytes are in their slots. */
	ASSERT_EQ(0, source_open(&src, notes->outside));
	EXPECT_EQ(0, survey_region(&src, &notes->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(PAGES, pagemap_read(src.fd, notes->region.addr, seen, PAGES));
	EXPECT_EQ(0, memcmp(seen, notes->entries, sizeof(seen)));
	EXPECT_EQ(0, source_close(&src));
	/* Directory 1 is the one attached inside, not that of PID 1 outside. */
	fd = target_open(1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(PAGES, pagemap_read(fd, notes->region.addr, seen, PAGES));
	EXPECT_EQ(0, memcmp(seen, notes->entries, sizeof(seen)));
	close(fd);
	ASSERT_TRUE(child_tell(&self->child));
	EXPECT_EQ(0, child_wait(&self->child));
	EXPECT_FALSE(is_attached(1));
}

/* Another process has the same PID outside: it does not replace a target that is current. */
TEST_F(namespace, same_pid_outside)
{
	struct notes *notes = self->notes;
	__u64 seen[PAGES];
	int fd, proc;

	ASSERT_TRUE(child_tell(&self->child));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, notes->attached);
	EXPECT_EQ(-EEXIST, attach(1));
	fd = target_open(1);
	EXPECT_EQ(PAGES, pagemap_read(fd, notes->region.addr, seen, PAGES));
	EXPECT_EQ(0, memcmp(seen, notes->entries, sizeof(seen)));

	ASSERT_EQ(0, kill(notes->outside, SIGKILL));
	child_wait(&self->child);
	EXPECT_EQ(0, pagemap_read(fd, notes->region.addr, seen, PAGES));
	EXPECT_EQ(0, attach(1));
	EXPECT_EQ(-1, pread(fd, seen, sizeof(*seen), 0));
	EXPECT_EQ(EIO, errno);
	close(fd);
	fd = target_open(1);
	proc = proc_pagemap_open(1);
	ASSERT_LE(0, proc);
	EXPECT_EQ(PAGES, pagemap_read(fd, notes->region.addr, seen, PAGES));
	EXPECT_EQ(PAGES, pagemap_read(proc, notes->region.addr, notes->entries, PAGES));
	EXPECT_EQ(0, memcmp(seen, notes->entries, sizeof(seen)));
	EXPECT_EQ(-EEXIST, attach(1));
	EXPECT_EQ(0, detach(1));
	close(proc);
	close(fd);
}

TEST_HARNESS_MAIN
