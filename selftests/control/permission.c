// SPDX-License-Identifier: GPL-2.0
/* Permissions: without one capability, and as another user. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

FIXTURE(permission) {
	struct child target;	/* attached */
	struct child other;	/* not attached */
	long long targets;
};

FIXTURE_SETUP(permission)
{
	ASSERT_EQ(0, child_start_idle(&self->target));
	ASSERT_EQ(0, child_start_idle(&self->other));
	ASSERT_EQ(0, attach(self->target.pid));
	self->targets = stats_value("targets");
}

FIXTURE_TEARDOWN(permission)
{
	EXPECT_EQ(self->targets, stats_value("targets"));
	EXPECT_EQ(0, detach(self->target.pid));
	child_kill(&self->target);
	child_kill(&self->other);
}

struct attempt {
	int drop;		/* a capability; -1: become another user */
	int (*call)(pid_t pid);
	pid_t pid;		/* 0: the caller */
};

/* Exits with the errno of the call, 0 on success. */
static int attempt(struct child *c, void *arg)
{
	const struct attempt *a = arg;
	int err;

	(void)c;
	if (a->drop >= 0)
		err = drop_capability(a->drop);
	else
		err = setgid(65534) || setuid(65534) ? -errno : 0;
	if (err)
		return 255;
	return -a->call(a->pid ?: getpid());
}

static int result_of(int drop, int (*call)(pid_t pid), pid_t pid)
{
	struct attempt a = { .drop = drop, .call = call, .pid = pid };
	struct child c;
	int status;

	if (child_start(&c, attempt, &a))
		return -1;
	status = child_wait(&c);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int read_pagemap(pid_t pid)
{
	int fd = target_open(pid);
	__u64 entry;
	int err;

	if (fd < 0)
		return fd;
	err = pread(fd, &entry, sizeof(entry), 0) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int read_stats(pid_t pid)
{
	char text[4096];
	long len = read_text(XPAGEMAP_STATS, text, sizeof(text));

	(void)pid;
	return len < 0 ? len : 0;
}

/* Control: without an unrelated capability, the same calls succeed. */
TEST_F(permission, a_capability_that_does_not_matter)
{
	EXPECT_EQ(0, result_of(CAP_SYS_TIME, read_pagemap, self->target.pid));
	EXPECT_EQ(0, result_of(CAP_SYS_TIME, read_stats, 0));
	EXPECT_EQ(0, result_of(CAP_SYS_TIME, attach, self->other.pid));
	EXPECT_EQ(0, result_of(CAP_SYS_TIME, detach, self->other.pid));
}

TEST_F(permission, without_sys_admin)
{
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, attach, self->other.pid));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, attach, 0));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, detach, self->target.pid));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, read_pagemap, self->target.pid));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, read_stats, 0));
	EXPECT_FALSE(is_attached(self->other.pid));
	EXPECT_TRUE(is_attached(self->target.pid));
}

TEST_F(permission, without_sys_ptrace)
{
	EXPECT_EQ(EPERM, result_of(CAP_SYS_PTRACE, attach, self->other.pid));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_PTRACE, attach, 0));
	EXPECT_FALSE(is_attached(self->other.pid));
	/* Only attach needs CAP_SYS_PTRACE. */
	EXPECT_EQ(0, result_of(CAP_SYS_PTRACE, read_pagemap, self->target.pid));
}

/* Without CAP_SYS_ADMIN, errors do not tell which processes exist or are attached. */
TEST_F(permission, without_sys_admin_whatever_is_asked)
{
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, attach, 0x7fffffff));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, attach, self->target.pid));
	EXPECT_EQ(EPERM, result_of(CAP_SYS_ADMIN, detach, self->other.pid));
}

TEST_F(permission, another_user)
{
	EXPECT_EQ(EACCES, result_of(-1, attach, self->other.pid));
	EXPECT_EQ(EACCES, result_of(-1, detach, self->target.pid));
	EXPECT_EQ(EACCES, result_of(-1, read_pagemap, self->target.pid));
	EXPECT_EQ(EACCES, result_of(-1, read_stats, 0));
}

#define PAGES 300

/* Memory shared with the unprivileged process. */
struct unprivileged {
	struct region shared, own;
	__u64 entries[2][PAGES];
};

/* Reads its own /proc/PID/pagemap as another user. */
static int read_own_proc(struct child *c, void *arg)
{
	struct unprivileged *u = arg;
	int fd;

	if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1))
		return 1;
	fd = proc_pagemap_open(getpid());
	if (pagemap_read(fd, u->shared.addr, u->entries[0], PAGES) != PAGES ||
	    pagemap_read(fd, u->own.addr, u->entries[1], PAGES) != PAGES)
		return 2;
	if (target_open(getpid()) != -EACCES)
		return 3;
	return !child_tell(c) || !child_hear(c);
}

/* The unprivileged reader's entries are those of /proc without the locations. */
static void expect_flags_only(struct __test_metadata *_metadata, const struct source *src,
			      const struct region *r, const __u64 *entries)
{
	size_t i, differing = 0, told = 0;
	__u64 all[PAGES];

	ASSERT_EQ(PAGES, pagemap_read(src->proc, r->addr, all, PAGES));
	for (i = 0; i < PAGES; i++) {
		differing += entries[i] != (all[i] & ~PM_FRAME);
		told += !!(all[i] & PM_FRAME);
	}
	EXPECT_EQ(0, differing);
	EXPECT_LT(0, told);
}

/* In /proc, an unprivileged reader gets flags but no locations. */
TEST_F(permission, unprivileged_reader_of_proc)
{
	struct unprivileged *u;
	struct source src;
	struct survey s;
	struct child c;
	size_t i;

	u = mmap(NULL, sizeof(*u), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, u);
	ASSERT_EQ(0, region_map_memfd(&u->shared, PAGES));
	ASSERT_EQ(0, region_map_private_anon(&u->own, PAGES));
	region_fill(&u->shared);
	region_fill(&u->own);
	ASSERT_EQ(0, region_pageout_pages(&u->own, 0, PAGES / 2));
	ASSERT_EQ(0, region_pageout(&u->shared));
	ASSERT_EQ(0, child_start(&c, read_own_proc, u));
	ASSERT_TRUE(child_hear(&c));
	ASSERT_EQ(0, source_open(&src, c.pid));
	expect_flags_only(_metadata, &src, &u->own, u->entries[1]);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(0, u->entries[0][i] & (PM_FRAME | PM_SWAP));
	/* For a privileged reader, the same process's pages have locations. */
	EXPECT_EQ(0, survey_region(&src, &u->shared, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, source_close(&src));
	child_tell(&c);
	EXPECT_EQ(0, child_wait(&c));
	region_free(&u->shared);
	region_free(&u->own);
}

TEST_HARNESS_MAIN
