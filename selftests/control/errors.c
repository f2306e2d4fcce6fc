// SPDX-License-Identifier: GPL-2.0
/* The errors of attach and detach. A failed call changes nothing. */
#include "lib/harness.h"
#include "lib/lib.h"

FIXTURE(errors) {
	struct child child;
	struct control_state before;
};

FIXTURE_SETUP(errors)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	self->before = control_state_now();
	ASSERT_LE(0, self->before.targets);
	ASSERT_LT(0, self->before.entries);
}

FIXTURE_TEARDOWN(errors)
{
	if (is_attached(self->child.pid))
		EXPECT_EQ(0, detach(self->child.pid));
	child_kill(&self->child);
	EXPECT_TRUE(control_unchanged(self->before));
}

TEST_F(errors, attached_already)
{
	struct control_state attached;

	ASSERT_EQ(0, attach(self->child.pid));
	attached = control_state_now();
	EXPECT_EQ(-EEXIST, attach(self->child.pid));
	EXPECT_TRUE(control_unchanged(attached));
}

TEST_F(errors, not_attached)
{
	EXPECT_EQ(-ENOENT, detach(self->child.pid));
	ASSERT_EQ(0, attach(self->child.pid));
	ASSERT_EQ(0, detach(self->child.pid));
	EXPECT_EQ(-ENOENT, detach(self->child.pid));
	EXPECT_EQ(-ENOENT, detach(0));
	EXPECT_EQ(-ENOENT, detach(0x7fffffff));
}

TEST_F(errors, no_such_process)
{
	struct child gone;
	pid_t pid;

	ASSERT_EQ(0, child_start_idle(&gone));
	pid = gone.pid;
	child_kill(&gone);
	EXPECT_EQ(-ESRCH, attach(pid));
	EXPECT_EQ(-ENOENT, detach(pid));
	EXPECT_EQ(-ESRCH, attach(0));
	EXPECT_EQ(-ESRCH, attach(0x7fffffff));
	EXPECT_TRUE(control_unchanged(self->before));
}

/* A zombie and a kernel thread have no address space. */
TEST_F(errors, no_address_space)
{
	siginfo_t info;

	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	ASSERT_EQ(0, waitid(P_PID, self->child.pid, &info, WEXITED | WNOWAIT));
	EXPECT_EQ(-ESRCH, attach(self->child.pid));
	EXPECT_EQ(-ESRCH, attach(2));
	EXPECT_TRUE(control_unchanged(self->before));
}

static const struct {
	const char *bytes;
	size_t len;
} malformed[] = {
#define MALFORMED(s) { s, sizeof(s) - 1 }
	MALFORMED(""), MALFORMED("\n"), MALFORMED("\n1"), MALFORMED("pid"),
	MALFORMED("-1"), MALFORMED("+1"), MALFORMED(" 1"), MALFORMED("1 "),
	MALFORMED("1\t"), MALFORMED("1\n\n"), MALFORMED("1\r\n"), MALFORMED("1 2"),
	MALFORMED("1\n2"), MALFORMED("1\n2\n"), MALFORMED("1a"), MALFORMED("0x1"),
	MALFORMED("1e3"), MALFORMED("1.0"), MALFORMED("1_0"), MALFORMED("1,"),
	MALFORMED("1\0"), MALFORMED("1\0\n"), MALFORMED("\0"), MALFORMED("1\0002"),
	MALFORMED("\xd9\xa1"), MALFORMED("2147483648"), MALFORMED("4294967297"),
	MALFORMED("18446744073709551617"), MALFORMED("-2147483648"),
	MALFORMED("340282366920938463463374607431768211457\n"),
};

TEST_F(errors, malformed_numbers)
{
	char lots[8192];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		EXPECT_EQ(-EINVAL, write_file(XPAGEMAP_ATTACH, malformed[i].bytes,
					      malformed[i].len))
			TH_LOG("attach \"%s\"", malformed[i].bytes);
		EXPECT_EQ(-EINVAL, write_file(XPAGEMAP_DETACH, malformed[i].bytes,
					      malformed[i].len))
			TH_LOG("detach \"%s\"", malformed[i].bytes);
	}
	memset(lots, '1', sizeof(lots));
	EXPECT_EQ(-EINVAL, write_file(XPAGEMAP_ATTACH, lots, sizeof(lots)));
	EXPECT_EQ(-EINVAL, write_file(XPAGEMAP_DETACH, lots, sizeof(lots)));
	EXPECT_TRUE(control_unchanged(self->before));
}

/* An unmapped buffer, and a number that continues in an unmapped page. */
TEST_F(errors, bad_buffer)
{
	static const char *const files[] = { XPAGEMAP_ATTACH, XPAGEMAP_DETACH };
	unsigned char *two;
	size_t i;

	two = mmap(NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, two);
	memset(two, '1', PAGE_BYTES);
	ASSERT_EQ(0, munmap(two + PAGE_BYTES, PAGE_BYTES));
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(-EFAULT, write_file(files[i], NULL, 4));
		EXPECT_EQ(-EFAULT, write_file(files[i], two + PAGE_BYTES - 2, 4));
	}
	EXPECT_TRUE(control_unchanged(self->before));
	munmap(two, PAGE_BYTES);
}

static int exec_when_told(struct child *c, void *arg)
{
	(void)arg;
	if (child_hear(c))
		execlp("sleep", "sleep", "1000", NULL);
	return 127;
}

/* The number of targets is limited to targets_max in stats. Replacing one needs no room. */
TEST_F(errors, too_many_targets)
{
	long long max = stats_value("targets_max");
	long long room = max - self->before.targets - 1, made, i;
	struct control_state full;
	struct child program;
	pid_t *pids;

	ASSERT_LT(0, room);
	ASSERT_EQ(0, child_start(&program, exec_when_told, NULL));
	ASSERT_EQ(0, attach(program.pid));
	pids = calloc(room, sizeof(*pids));
	ASSERT_NE(NULL, pids);
	for (made = 0; made < room; made++) {
		pids[made] = fork();
		if (!pids[made]) {
			pause();
			_exit(0);
		}
		if (pids[made] < 0 || attach(pids[made]))
			break;
	}
	EXPECT_EQ(room, made) TH_LOG("no more than %lld targets: %m", made);
	full = control_state_now();
	EXPECT_EQ(max, full.targets);
	EXPECT_EQ(-ENOSPC, attach(self->child.pid));
	EXPECT_TRUE(control_unchanged(full));
	ASSERT_TRUE(child_tell(&program));
	/* The pipe closes on exec. */
	ASSERT_FALSE(child_hear(&program));
	EXPECT_EQ(0, attach(program.pid));
	EXPECT_TRUE(control_unchanged(full));
	EXPECT_EQ(0, detach(program.pid));
	child_kill(&program);
	for (i = 0; i < made; i++)
		EXPECT_EQ(0, detach(pids[i]));
	EXPECT_EQ(0, attach(self->child.pid));
	for (i = 0; i < made; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
}

TEST_HARNESS_MAIN
