// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap check` on a page whose bit breaker.ko has changed, and which the test restores
 * before anything relies on it.
 */
#include <signal.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	5
#define BROKEN	2

FIXTURE(cli_check) {
	struct region region;
	struct cli out;
	void *page;
	char path[64];
};

FIXTURE_SETUP(cli_check)
{
	ASSERT_EQ(0, breaker_load());
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	self->page = region_page(&self->region, BROKEN);
	snprintf(self->path, sizeof(self->path), "/tmp/cli_check-%d", getpid());
}

FIXTURE_TEARDOWN(cli_check)
{
	cli_free(&self->out);
	unlink(self->path);
	EXPECT_EQ(0, breaker_unload());
}

TEST_F(cli_check, broken_rule_is_status_1)
{
	ASSERT_EQ(0, breaker_set(getpid(), self->page, false));
	EXPECT_EQ(0, cli_run(&self->out, "check %d", getpid()));
	EXPECT_EQ(1, self->out.status);
	EXPECT_TRUE(cli_says(&self->out, "process %d (cli_check): %lx %s certain:", getpid(),
			     (unsigned long)self->page, "writable-not-exclusive"));
	EXPECT_TRUE(cli_says(&self->out, "checked 1 processes: 1 violations, 0 suspected"));
	cli_free(&self->out);
	EXPECT_EQ(0, cli_run(&self->out, "check -o rule,pid %d | tr -s ' '", getpid()));
	EXPECT_TRUE(cli_says(&self->out, "rule pid\nwritable-not-exclusive %d\n", getpid()))
		TH_LOG("%s", self->out.text);
	cli_free(&self->out);
	EXPECT_EQ(0, cli_run(&self->out, "check --json %d", getpid()));
	EXPECT_EQ(1, self->out.status);
	EXPECT_EQ(1, cli_number(&self->out, NULL, "certain"));
	cli_free(&self->out);
	EXPECT_EQ(0, cli_run(&self->out, "summary --json %d", getpid()));
	EXPECT_EQ(1, cli_mapping(&self->out, self->region.addr, "violations"));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, true));
	cli_free(&self->out);
	EXPECT_EQ(0, cli_run(&self->out, "check %d", getpid()));
	EXPECT_EQ(0, self->out.status);
}

/* Reads the watch's output until it holds @text. */
static bool appears(const char *path, const char *text)
{
	static char got[1 << 20];
	int tries;

	for (tries = 0; tries < 6000; tries++) {
		if (read_text(path, got, sizeof(got)) > 0 && strstr(got, text))
			return true;
		usleep(10000);
	}
	return false;
}

/* A rule that is broken during a watch is printed, and is the status of the whole watch. */
TEST_F(cli_check, watch_sees_what_breaks_meanwhile)
{
	int status;
	pid_t pid;

	pid = cli_start(self->path, "check --watch 0.1 --json %d", getpid());
	ASSERT_LT(0, pid);
	EXPECT_TRUE(appears(self->path, "\"certain\":0"));
	EXPECT_EQ(0, breaker_set(getpid(), self->page, false));
	EXPECT_TRUE(appears(self->path, "\"certain\":1"));
	EXPECT_EQ(0, breaker_set(getpid(), self->page, true));
	EXPECT_EQ(0, kill(pid, SIGINT));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(1, WEXITSTATUS(status));
	EXPECT_FALSE(is_attached(getpid()));
}

TEST_HARNESS_MAIN
