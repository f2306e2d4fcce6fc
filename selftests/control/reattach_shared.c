// SPDX-License-Identifier: GPL-2.0
/* attach of processes that share an address space: clone(CLONE_VM), vfork(). */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	100

FIXTURE(reattach_shared) {
	struct region region;	/* of the test, and of those who share its memory */
	long long targets;
	pid_t pid;
	int fd;			/* the target's pagemap */
};

FIXTURE_SETUP(reattach_shared)
{
	self->fd = -1;
	self->targets = stats_value("targets");
	ASSERT_EQ(0, region_map_private_anon(&self->region, PAGES));
	region_fill(&self->region);
}

FIXTURE_TEARDOWN(reattach_shared)
{
	if (is_attached(self->pid))
		EXPECT_EQ(0, detach(self->pid));
	EXPECT_EQ(self->targets, stats_value("targets"));
	if (self->pid > 0) {
		kill(self->pid, SIGKILL);
		waitpid(self->pid, NULL, 0);
	}
	close(self->fd);
	region_free(&self->region);
}

static long present(int fd, const struct region *r)
{
	return count_entries(fd, r->addr, r->pages, PM_PRESENT);
}

static int pipes[2][2];

static int exec_when_told(void *arg)
{
	char byte;

	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(pipes[0][1]);
	if (read(pipes[0][0], &byte, 1) == 1)
		execlp("sleep", "sleep", "1000", NULL);
	_exit(127);
}

/* The address space that the process had stays, since its parent has it too. */
TEST_F(reattach_shared, one_that_shares_execs)
{
	static long double stack[4096];	/* aligned to 16 bytes */
	__u64 entry;
	char byte;
	int fd;

	ASSERT_EQ(0, pipe2(pipes[0], O_CLOEXEC));
	ASSERT_EQ(0, pipe2(pipes[1], O_CLOEXEC));
	self->pid = clone(exec_when_told, stack + ARRAY_SIZE(stack), CLONE_VM | SIGCHLD, NULL);
	ASSERT_LT(0, self->pid);
	close(pipes[0][0]);
	close(pipes[1][1]);
	ASSERT_EQ(0, attach(self->pid));
	self->fd = target_open(self->pid);
	EXPECT_EQ(PAGES, present(self->fd, &self->region));
	EXPECT_EQ(-EEXIST, attach(self->pid));

	ASSERT_EQ(1, write(pipes[0][1], "", 1));
	/* The pipe closes on exec. */
	ASSERT_EQ(0, read(pipes[1][0], &byte, 1));
	EXPECT_EQ(PAGES, present(self->fd, &self->region));
	EXPECT_EQ(0, attach(self->pid));
	EXPECT_EQ(-1, pread(self->fd, &entry, sizeof(entry), 0));
	EXPECT_EQ(EIO, errno);
	fd = target_open(self->pid);
	EXPECT_EQ(1, pagemap_read(fd, self->region.addr, &entry, 1));
	EXPECT_EQ(0, present(fd, &self->region));
	EXPECT_EQ(-EEXIST, attach(self->pid));
	close(fd);
	close(pipes[0][1]);
	close(pipes[1][0]);
}

/* The next process with the PID has the same address space: the target is current. */
TEST_F(reattach_shared, pid_is_used_again_by_one_that_shares)
{
	self->pid = sharer_start_with_pid(getpid() + 100);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, attach(self->pid));
	self->fd = target_open(self->pid);
	kill(self->pid, SIGKILL);
	ASSERT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	EXPECT_EQ(PAGES, present(self->fd, &self->region));
	EXPECT_EQ(-ESRCH, attach(self->pid));
	ASSERT_EQ(self->pid, sharer_start_with_pid(self->pid));
	EXPECT_EQ(-EEXIST, attach(self->pid));
	EXPECT_EQ(PAGES, present(self->fd, &self->region));
}

static int wait_for_the_end(struct child *c, void *arg)
{
	(void)arg;
	return !child_tell(c) || !child_hear(c);
}

/* The next process with the PID has another one: the target is replaced, though not gone. */
TEST_F(reattach_shared, pid_is_used_again_by_one_that_does_not)
{
	struct child c;
	__u64 entry;

	self->pid = sharer_start_with_pid(getpid() + 100);
	ASSERT_LT(0, self->pid);
	ASSERT_EQ(0, attach(self->pid));
	self->fd = target_open(self->pid);
	kill(self->pid, SIGKILL);
	ASSERT_EQ(self->pid, waitpid(self->pid, NULL, 0));
	ASSERT_EQ(0, child_start_with_pid(&c, self->pid, wait_for_the_end, NULL));
	ASSERT_TRUE(child_hear(&c));
	EXPECT_EQ(PAGES, present(self->fd, &self->region));
	EXPECT_EQ(0, attach(self->pid));
	EXPECT_EQ(-1, pread(self->fd, &entry, sizeof(entry), 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-EEXIST, attach(self->pid));
	EXPECT_EQ(0, detach(self->pid));
	child_kill(&c);
	self->pid = 0;
}

/* A child that executes the same shell again and again, with the same PID. */
static int exec_on_and_on(struct child *c, void *arg)
{
	(void)c;
	(void)arg;
	setenv("AGAIN", "exec sh -c \"$AGAIN\"", 1);
	execlp("sh", "sh", "-c", "exec sh -c \"$AGAIN\"", NULL);
	return 127;
}

#define SECONDS		3	/* at least */
#define SECONDS_MAX	30	/* until enough targets were replaced */
#define ATTACHERS	4

struct counts {
	long attached, detached, strange;
};

/*
 * Targets that were replaced, but for one that is attached and the last calls of children
 * that were killed.
 */
static long replaced(const struct counts *c)
{
	return __atomic_load_n(&c->attached, __ATOMIC_RELAXED) -
	       __atomic_load_n(&c->detached, __ATOMIC_RELAXED);
}

struct attacher {
	pid_t pid;
	struct counts *counts;
};

/* attach, detach and reads of the target that is there. */
static int attach_on_and_on(struct child *c, void *arg)
{
	struct attacher *a = arg;
	static __u64 entries[4096];
	bool detaches;
	int i, err, fd;

	for (i = 0; ; i++) {
		detaches = i % 32 == 31;
		err = detaches ? detach(a->pid) : attach(a->pid);
		if (!err)
			__atomic_fetch_add(detaches ? &a->counts->detached : &a->counts->attached,
					   1, __ATOMIC_RELAXED);
		else if (err != -EEXIST && err != -ENOENT)
			__atomic_fetch_add(&a->counts->strange, 1, __ATOMIC_RELAXED);
		fd = target_open(a->pid);
		if (fd >= 0 && pread(fd, entries, sizeof(entries), 1 << 20) < 0 && errno != EIO)
			__atomic_fetch_add(&a->counts->strange, 1, __ATOMIC_RELAXED);
		if (fd >= 0)
			close(fd);
	}
	return !c;
}

TEST_F(reattach_shared, storm_of_execs_and_attaches)
{
	struct child target, attachers[ATTACHERS];
	struct attacher a;
	int i;

	a.counts = mmap(NULL, sizeof(*a.counts), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, a.counts);
	ASSERT_EQ(0, child_start(&target, exec_on_and_on, NULL));
	a.pid = target.pid;
	for (i = 0; i < ATTACHERS; i++)
		ASSERT_EQ(0, child_start(&attachers[i], attach_on_and_on, &a));
	for (i = 0; i < SECONDS || (i < SECONDS_MAX && replaced(a.counts) <= ATTACHERS + 1); i++)
		sleep(1);
	for (i = 0; i < ATTACHERS; i++)
		child_kill(&attachers[i]);
	ksft_print_msg("attached %ld times, detached %ld times\n", a.counts->attached,
		       a.counts->detached);
	EXPECT_LT(ATTACHERS + 1, replaced(a.counts));
	EXPECT_EQ(0, a.counts->strange);
	child_kill(&target);
	if (is_attached(a.pid))
		EXPECT_EQ(0, detach(a.pid));
	EXPECT_FALSE(is_attached(a.pid));
	munmap(a.counts, sizeof(*a.counts));
}

TEST_HARNESS_MAIN
