// SPDX-License-Identifier: GPL-2.0
/* PID/events read in parts and by several readers, and malformed writes to PID/trace. */
#include <fcntl.h>
#include <linux/capability.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 600

FIXTURE(events_file) {
	struct region region;
	struct traced self;
	int fd;
	char *text;	/* contents of the file */
	struct textfile file;
	char path[64];	/* of trace */
};

FIXTURE_SETUP(events_file)
{
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	region_fill(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { .op = OP_SET, .cause = CAUSE_NEW }));
	self->fd = events_open(getpid());
	ASSERT_LE(0, self->fd);
	self->text = read_to_end(self->fd, 1 << 20, &self->file.len);
	ASSERT_NE(NULL, self->text);
	self->file.fd = self->fd;
	self->file.text = self->text;
	self->file.step = 333;
	self->file.rounds = 5;
	snprintf(self->path, sizeof(self->path), XPAGEMAP_DIR "/%d/trace", getpid());
}

FIXTURE_TEARDOWN(events_file)
{
	close(self->fd);
	free(self->text);
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	region_free(&self->region);
}

TEST_F(events_file, reads_of_any_size_give_the_same)
{
	EXPECT_TRUE(textfile_same_by_sizes(&self->file));
}

TEST_F(events_file, reads_from_anywhere)
{
	EXPECT_TRUE(textfile_same_from_anywhere(&self->file));
}

/* A read removes no events. */
TEST_F(events_file, two_readers_of_one_open_file)
{
	struct child one, two;

	ASSERT_EQ(0, child_start(&one, textfile_read_again, &self->file));
	ASSERT_EQ(0, child_start(&two, textfile_read_again, &self->file));
	EXPECT_EQ(0, child_wait(&one));
	EXPECT_EQ(0, child_wait(&two));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { .op = OP_SET, .cause = CAUSE_NEW }));
}

TEST_F(events_file, buffer_that_is_none)
{
	EXPECT_EQ(-1, pread(self->fd, NULL, 4096, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-EFAULT, write_file(self->path, NULL, 2));
	EXPECT_EQ(0, events_started(getpid()));
}

static const struct {
	const char *bytes;
	size_t len;
} malformed[] = {
#define MALFORMED(s) { s, sizeof(s) - 1 }
	MALFORMED(""), MALFORMED("\n"), MALFORMED("3\n"), MALFORMED("-1\n"),
	MALFORMED("+1\n"), MALFORMED(" 1\n"), MALFORMED("1 "), MALFORMED("1\n\n"),
	MALFORMED("1\r\n"), MALFORMED("1\n0\n"), MALFORMED("10\n"),
	MALFORMED("0 keep\n"), MALFORMED("3 keep\n"), MALFORMED("1 keep "),
	MALFORMED("1 KEEP\n"), MALFORMED("1keep\n"), MALFORMED("keep\n"), MALFORMED("1 2\n"),
	MALFORMED("on\n"), MALFORMED("y\n"), MALFORMED("1\0"), MALFORMED("\0"),
	MALFORMED("0x1\n"), MALFORMED("4294967297\n"), MALFORMED("18446744073709551617\n"),
};

TEST_F(events_file, malformed_writes_change_nothing)
{
	char lots[8192];
	size_t i, on;

	memset(lots, '1', sizeof(lots));
	for (on = 0; on < 2; on++) {
		for (i = 0; i < ARRAY_SIZE(malformed); i++)
			EXPECT_EQ(-EINVAL, write_file(self->path, malformed[i].bytes,
						      malformed[i].len))
				TH_LOG("number %zu: \"%s\"", i, malformed[i].bytes);
		EXPECT_EQ(-EINVAL, write_file(self->path, lots, sizeof(lots)));
		EXPECT_EQ((int)on, events_started(getpid()));
		ASSERT_EQ(0, events_start(getpid()));
	}
}

/* A process without CAP_SYS_ADMIN, or one of another user. */
struct attempt {
	bool capable;
	pid_t pid;
};

static int attempt(struct child *c, void *arg)
{
	const struct attempt *a = arg;
	int expected = a->capable ? -EPERM : -EACCES;
	struct events log = {};

	(void)c;
	if (a->capable ? drop_capability(CAP_SYS_ADMIN) : setgid(65534) || setuid(65534))
		return 1;
	if (events_started(a->pid) != expected || events_stop(a->pid) != expected)
		return 2;
	return events_read(&log, a->pid) == expected ? 0 : 3;
}

TEST_F(events_file, is_for_those_who_may)
{
	struct attempt a = { .pid = getpid() };
	struct child c;
	int i;

	ASSERT_EQ(0, events_start(getpid()));
	for (i = 0; i < 2; i++) {
		a.capable = i;
		ASSERT_EQ(0, child_start(&c, attempt, &a));
		EXPECT_EQ(0, child_wait(&c)) TH_LOG("capable: %d", i);
	}
	EXPECT_EQ(1, events_started(getpid()));
}

/* The descriptor was opened with CAP_SYS_ADMIN; the writer has none. */
static int stop_through(struct child *c, void *arg)
{
	(void)c;
	if (drop_capability(CAP_SYS_ADMIN))
		return 1;
	return write(*(int *)arg, "0\n", 2) == -1 && errno == EPERM ? 0 : 2;
}

TEST_F(events_file, open_descriptor_is_no_permission_to_write)
{
	int fd = open(self->path, O_RDWR | O_CLOEXEC);
	struct child c;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, events_start(getpid()));
	ASSERT_EQ(0, child_start(&c, stop_through, &fd));
	EXPECT_EQ(0, child_wait(&c));
	EXPECT_EQ(1, events_started(getpid()));
	close(fd);
}

TEST_HARNESS_MAIN
