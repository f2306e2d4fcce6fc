// SPDX-License-Identifier: GPL-2.0
/* attach, detach and stats. */
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

FIXTURE(control) {
	struct child child;
	struct control_state before;
};

FIXTURE_SETUP(control)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	self->before = control_state_now();
	ASSERT_LE(0, self->before.targets);
	ASSERT_LT(0, self->before.entries);
}

FIXTURE_TEARDOWN(control)
{
	if (is_attached(self->child.pid))
		EXPECT_EQ(0, detach(self->child.pid));
	child_kill(&self->child);
	EXPECT_TRUE(control_unchanged(self->before));
}

TEST_F(control, attach_makes_and_detach_removes)
{
	pid_t pid = self->child.pid;
	struct control_state now;

	ASSERT_EQ(0, attach(pid));
	now = control_state_now();
	EXPECT_EQ(self->before.targets + 1, now.targets);
	EXPECT_EQ(self->before.entries + 1, now.entries);
	EXPECT_TRUE(is_attached(pid));
	ASSERT_EQ(0, detach(pid));
	EXPECT_FALSE(is_attached(pid));
	EXPECT_TRUE(control_unchanged(self->before));
}

TEST_F(control, modes)
{
	char path[64];
	struct stat st;

	ASSERT_EQ(0, attach(self->child.pid));
	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/pagemap", self->child.pid);
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(S_IFREG | 0400, st.st_mode);
	ASSERT_EQ(0, stat(XPAGEMAP_STATS, &st));
	EXPECT_EQ(S_IFREG | 0400, st.st_mode);
	ASSERT_EQ(0, stat(XPAGEMAP_ATTACH, &st));
	EXPECT_EQ(S_IFREG | 0200, st.st_mode);
	ASSERT_EQ(0, stat(XPAGEMAP_DETACH, &st));
	EXPECT_EQ(S_IFREG | 0200, st.st_mode);
}

static bool is_key_value(const char *line)
{
	char key[64], value[64], rest;
	int got = sscanf(line, "%63[a-z_] %63s%c", key, value, &rest);

	return got == 2;
}

TEST_F(control, stats_are_key_value_lines)
{
	char text[4096], *line;

	ASSERT_LT(0, read_text(XPAGEMAP_STATS, text, sizeof(text)));
	EXPECT_EQ('\n', text[strlen(text) - 1]);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		EXPECT_TRUE(is_key_value(line)) TH_LOG("in the line \"%s\"", line);
	EXPECT_LE(0, stats_value("version"));
	EXPECT_LT(0, stats_value("abi"));
	EXPECT_EQ(0, stats_value("files"));
	EXPECT_LT(0, stats_value("targets_max"));
	EXPECT_LT(0, stats_value("events_max"));
}

TEST_F(control, the_newline_is_optional)
{
	ASSERT_EQ(0, write_text(XPAGEMAP_ATTACH, "%d", self->child.pid));
	EXPECT_TRUE(is_attached(self->child.pid));
	ASSERT_EQ(0, write_text(XPAGEMAP_DETACH, "%d", self->child.pid));
	EXPECT_FALSE(is_attached(self->child.pid));
}

/* Each write to one descriptor is a command of its own. */
TEST_F(control, a_descriptor_serves_many_times)
{
	int attach_fd = open(XPAGEMAP_ATTACH, O_WRONLY | O_CLOEXEC);
	int detach_fd = open(XPAGEMAP_DETACH, O_WRONLY | O_CLOEXEC);
	char text[16];
	int len, i;

	ASSERT_LE(0, attach_fd);
	ASSERT_LE(0, detach_fd);
	len = snprintf(text, sizeof(text), "%d\n", self->child.pid);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(len, write(attach_fd, text, len));
		ASSERT_EQ(len, write(detach_fd, text, len));
	}
	close(attach_fd);
	close(detach_fd);
}

#define RACERS 4

static int attach_once(struct child *c, void *arg)
{
	pid_t pid = *(pid_t *)arg;

	return child_hear(c) ? -attach(pid) : 255;
}

/* Of concurrent attaches of one process, one succeeds; the others get EEXIST. */
TEST_F(control, racing_to_attach)
{
	struct child racer[RACERS];
	int round, i, status, won;

	for (round = 0; round < 20; round++) {
		won = 0;
		for (i = 0; i < RACERS; i++)
			ASSERT_EQ(0, child_start(&racer[i], attach_once,
						 &self->child.pid));
		for (i = 0; i < RACERS; i++)
			child_tell(&racer[i]);
		for (i = 0; i < RACERS; i++) {
			status = child_wait(&racer[i]);
			ASSERT_TRUE(WIFEXITED(status));
			won += !WEXITSTATUS(status);
			if (WEXITSTATUS(status))
				EXPECT_EQ(EEXIST, WEXITSTATUS(status));
		}
		EXPECT_EQ(1, won);
		ASSERT_EQ(0, detach(self->child.pid));
	}
}

TEST_HARNESS_MAIN
