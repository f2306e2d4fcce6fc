// SPDX-License-Identifier: GPL-2.0
/*
 * Processes by name, and files as descriptors, for the commands that take one of either. What
 * they say of it is that of the PID, or known to the test; the other kind is refused in words.
 */
#include <sys/prctl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	48	/* all in swap */
#define NAME	"one of its name"	/* as long as a name can be */

FIXTURE(cli_targets) {
	struct region shared;
	struct child child;
	struct cli out;
	struct control_state before;
	char range[40], path[64];
};

static int named(struct child *c, void *arg)
{
	(void)arg;
	if (prctl(PR_SET_NAME, NAME) || !child_tell(c))
		return 1;
	child_hear(c);
	return 0;
}

FIXTURE_SETUP(cli_targets)
{
	unsigned long start;

	self->before = control_state_now();
	ASSERT_EQ(0, region_map_memfd(&self->shared, PAGES));
	region_fill(&self->shared);
	ASSERT_EQ(0, region_pageout(&self->shared));
	ASSERT_EQ(PAGES, region_count(&self->shared, PAGE_SWAPPED));
	ASSERT_EQ(0, child_start(&self->child, named, NULL));
	ASSERT_TRUE(child_hear(&self->child));
	start = (unsigned long)self->shared.addr;
	snprintf(self->range, sizeof(self->range), "%lx-%lx", start, start + PAGES * PAGE_BYTES);
	snprintf(self->path, sizeof(self->path), "/tmp/cli_targets-%d", getpid());
}

FIXTURE_TEARDOWN(cli_targets)
{
	cli_free(&self->out);
	child_kill(&self->child);
	region_free(&self->shared);
	unlink(self->path);
	EXPECT_TRUE(control_unchanged(self->before));
}

#define RUN(want, ...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, __VA_ARGS__)); \
	EXPECT_EQ(want, self->out.status) TH_LOG("%s", self->out.text); \
})

TEST_F(cli_targets, one_process_by_name)
{
	int pid = self->child.pid;

	RUN(0, "show --json '" NAME "' %s", self->range);
	EXPECT_EQ(pid, cli_number(&self->out, NULL, "pid"));
	EXPECT_EQ(PAGES, cli_number(&self->out, "\"xpagemap\":{", "swap"));
	RUN(0, "explain --json '" NAME "' %lx", (unsigned long)self->shared.addr);
	EXPECT_EQ(pid, cli_number(&self->out, NULL, "pid"));
	RUN(0, "diff --json -s 0 '" NAME "'");
	EXPECT_EQ(pid, cli_number(&self->out, NULL, "pid"));
	RUN(0, "plot '" NAME "' -o %s && grep -c '<title>process %d ' %s", self->path, pid,
	    self->path);
	/* Pages that the swap cache still has are left out, which is status 1. */
	RUN(0, "swap read '" NAME "' %s -o %s || true", self->range, self->path);
	EXPECT_TRUE(cli_says(&self->out, "%d pages in swap: ", PAGES))
		TH_LOG("%s", self->out.text);
	RUN(0, "trace --json -s 0 '" NAME "'");
	EXPECT_EQ(pid, cli_number(&self->out, NULL, "pid")) TH_LOG("%s", self->out.text);
}

TEST_F(cli_targets, several_of_a_name_are_no_one)
{
	struct child other;

	ASSERT_EQ(0, child_start(&other, named, NULL));
	ASSERT_TRUE(child_hear(&other));
	RUN(1, "explain '" NAME "' 1000");
	EXPECT_TRUE(cli_says(&self->out, "several processes have this name"));
	EXPECT_TRUE(cli_says(&self->out, "%d", other.pid));
	child_kill(&other);
}

TEST_F(cli_targets, the_other_kind_is_refused_in_words)
{
	RUN(1, "summary %d:%d", getpid(), self->shared.fd);
	EXPECT_TRUE(cli_says(&self->out, "is a file, and a process is expected"));
	RUN(1, "file %d", getpid());
	EXPECT_TRUE(cli_says(&self->out, "is a PID, and a file is expected: PID:FD"));
	RUN(2, "show --all");
	EXPECT_TRUE(cli_says(&self->out, "this command takes one process"));
}

TEST_F(cli_targets, files_by_descriptor)
{
	char file[40];

	snprintf(file, sizeof(file), "%d:%d", getpid(), self->shared.fd);
	RUN(0, "swap read %s 0-%lx -o %s || true", file, PAGES * PAGE_BYTES, self->path);
	EXPECT_TRUE(cli_says(&self->out, "%d pages in swap: ", PAGES));
	RUN(0, "plot %s -o %s", file, self->path);
}

TEST_HARNESS_MAIN
