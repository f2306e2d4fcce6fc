// SPDX-License-Identifier: GPL-2.0
/* The table "Access" of Documentation/interface.md, cell by cell. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/shmemscan.h"

#define PAGES	4
#define NOBODY	65534

/* A cell: TOLD and FLAGS are entries with and without locations, else 0 or a negative errno. */
#define TOLD	1
#define FLAGS	2

FIXTURE(access) {
	struct child target, other;	/* attached, and not */
	struct region region;		/* in swap, before the processes are forked */
	int pagemap, attach, page;	/* opened by root */
	int *cells;			/* shared */
};

#define scene struct _test_data_access

FIXTURE_SETUP(access)
{
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	self->cells = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->cells);
	ASSERT_EQ(0, child_start_idle(&self->target));
	ASSERT_EQ(0, child_start_idle(&self->other));
	ASSERT_EQ(0, attach(self->target.pid));
	self->pagemap = target_open(self->target.pid);
	ASSERT_LE(0, self->pagemap);
	self->page = page_open(self->target.pid);
	ASSERT_LE(0, self->page);
	self->attach = open(XPAGEMAP_ATTACH, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->attach);
}

FIXTURE_TEARDOWN(access)
{
	close(self->pagemap);
	close(self->page);
	close(self->attach);
	EXPECT_EQ(0, detach(self->target.pid));
	EXPECT_FALSE(is_attached(self->other.pid));
	child_kill(&self->target);
	child_kill(&self->other);
	region_free(&self->region);
}

/* Takes back an attachment that was allowed. */
static int attached(scene *s, int err)
{
	return err ?: detach(s->other.pid);
}

static int attach_other(scene *s)
{
	return attached(s, attach(s->other.pid));
}

static int attach_other_by_passed_fd(scene *s)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", s->other.pid);

	return attached(s, write(s->attach, text, len) == len ? 0 : -errno);
}

/* The entries of the region in an open pagemap. */
static int entries_of(scene *s, int fd)
{
	__u64 entries[PAGES];
	long got;
	int i;

	if (fd < 0)
		return fd;
	got = pagemap_read(fd, s->region.addr, entries, PAGES);
	if (got != PAGES)
		return got < 0 ? got : -EIO;
	for (i = 0; i < PAGES; i++)
		if (!pm_is_swap(entries[i]))
			return -EPROTO;
	return entries[0] & PM_FRAME ? TOLD : FLAGS;
}

static int closing(int fd, int cell)
{
	if (fd >= 0)
		close(fd);
	return cell;
}

static int open_target(scene *s)
{
	int fd = target_open(s->target.pid);

	return closing(fd, entries_of(s, fd));
}

static int passed_target(scene *s)
{
	return entries_of(s, s->pagemap);
}

static int passed_page(scene *s)
{
	return page_choose(s->page, s->region.addr);
}

/* PAGEMAP_READ of the region through a pagemap file of /proc. */
static int proc_entries(scene *s, int fd)
{
	__u64 entries[PAGES];
	long got;

	if (fd < 0)
		return fd;
	got = pagemap_bulk_read(fd, s->region.addr, entries, PAGES, PM_READ_SHMEM_SWAP);
	if (got != PAGES)
		return closing(fd, got < 0 ? got : -EIO);
	if (!pm_is_swap(entries[0]))
		return closing(fd, 0);
	return closing(fd, entries[0] & PM_FRAME ? TOLD : FLAGS);
}

static int own_proc(scene *s)
{
	int fd;

	if (prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	fd = open("/proc/self/pagemap", O_RDONLY);
	return proc_entries(s, fd < 0 ? -errno : fd);
}

/* Its files in /proc are root's then. */
static int own_proc_not_dumpable(scene *s)
{
	int fd;

	if (prctl(PR_SET_DUMPABLE, 0))
		return -errno;
	fd = open("/proc/self/pagemap", O_RDONLY);
	return proc_entries(s, fd < 0 ? -errno : fd);
}

static int root_proc(scene *s)
{
	return proc_entries(s, proc_pagemap_open(s->other.pid));
}

/* SHMEM_SCAN_LOCATION of a file. */
static int scan_file(int fd)
{
	struct shmem_region region = {};
	struct shmem_scan_arg arg = {
		.size = sizeof(arg),
		.flags = SHMEM_SCAN_LOCATION,
		.end = ~0ULL,
		.vec = (unsigned long)&region,
		.vec_len = 1,
	};

	return ioctl(fd, SHMEM_SCAN, &arg) < 0 ? -errno : region.location ? TOLD : 0;
}

static int passed_file(scene *s)
{
	return scan_file(s->region.fd);
}

static int own_file(scene *s)
{
	int fd = memfd_create("own", MFD_CLOEXEC);

	(void)s;
	return closing(fd, scan_file(fd));
}

static const struct {
	const char *name;
	int (*see)(scene *s);
} columns[] = {
	{ "attach", attach_other },
	{ "attach, descriptor passed on", attach_other_by_passed_fd },
	{ "PID/pagemap", open_target },
	{ "PID/pagemap, descriptor passed on", passed_target },
	{ "PID/page, descriptor passed on", passed_page },
	{ "own /proc pagemap", own_proc },
	{ "/proc pagemap of root's process", root_proc },
	{ "own file, SHMEM_SCAN", own_file },
	{ "file, descriptor passed on, SHMEM_SCAN", passed_file },
	/* Last: it changes the process. */
	{ "own /proc pagemap, not dumpable", own_proc_not_dumpable },
};

static int stay_root(void)
{
	return 0;
}

static int be_nobody(void)
{
	return setgid(NOBODY) || setuid(NOBODY) ? -errno : 0;
}

static int be_namespace_root(void)
{
	int err = be_nobody();

	if (err || prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER))
		return err ?: -errno;
	return write_text("/proc/self/uid_map", "0 %d 1", NOBODY);
}

static int without_admin(void)
{
	return drop_capability(CAP_SYS_ADMIN);
}

static int without_ptrace(void)
{
	return drop_capability(CAP_SYS_PTRACE);
}

/* The caller goes on as the first process of a PID namespace; its parent ends with it. */
static int be_in_pid_namespace(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	return getpid() == 1 ? 0 : -ECHILD;
}

struct visit {
	scene *s;
	int (*become)(void);
};

static int look(struct child *c, void *arg)
{
	struct visit *visit = arg;
	size_t i;
	int err = visit->become();

	(void)c;
	if (err)
		return 1;
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		visit->s->cells[i] = columns[i].see(visit->s);
	return 0;
}

static void expect_row(struct __test_metadata *_metadata, scene *s, int (*become)(void),
		       const int *expected)
{
	struct visit visit = { s, become };
	struct child c;
	size_t i;

	ASSERT_EQ(0, child_start(&c, look, &visit));
	ASSERT_TRUE(child_ended_well(&c));
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		EXPECT_EQ(expected[i], s->cells[i]) {
			TH_LOG("%s", columns[i].name);
		}
	}
}

TEST_F(access, root)
{
	static const int cells[] = { 0, 0, TOLD, TOLD, 0, TOLD, TOLD, 0, TOLD, TOLD };

	expect_row(_metadata, self, stay_root, cells);
}

TEST_F(access, another_user)
{
	static const int cells[] = { -EACCES, -EPERM, -EACCES, TOLD, -EPERM, FLAGS, -EACCES,
				     -EPERM, TOLD, -EACCES };

	expect_row(_metadata, self, be_nobody, cells);
}

/* Its capabilities are of its own namespace. */
TEST_F(access, root_of_a_user_namespace)
{
	static const int cells[] = { -EACCES, -EPERM, -EACCES, TOLD, -EPERM, FLAGS, -EACCES,
				     -EPERM, TOLD, -EACCES };

	expect_row(_metadata, self, be_namespace_root, cells);
}

TEST_F(access, root_without_sys_admin)
{
	static const int cells[] = { -EPERM, -EPERM, -EPERM, TOLD, -EPERM, FLAGS, FLAGS,
				     -EPERM, TOLD, FLAGS };

	expect_row(_metadata, self, without_admin, cells);
}

/* CAP_SYS_ADMIN contains CAP_PERFMON, which is enough for /proc. */
TEST_F(access, root_without_sys_ptrace)
{
	static const int cells[] = { -EPERM, -EPERM, TOLD, TOLD, 0, TOLD, TOLD, 0, TOLD, TOLD };

	expect_row(_metadata, self, without_ptrace, cells);
}

/* PIDs that are written are those of the writer's namespace. */
TEST_F(access, root_in_another_pid_namespace)
{
	static const int cells[] = { -ESRCH, -ESRCH, TOLD, TOLD, 0, TOLD, TOLD, 0, TOLD, TOLD };

	expect_row(_metadata, self, be_in_pid_namespace, cells);
}

TEST_HARNESS_MAIN
