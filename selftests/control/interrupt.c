// SPDX-License-Identifier: GPL-2.0
/* Long reads: a sparse terabyte, with and without signals. */
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SPARSE_BYTES	(512 * 1024 * PMD_BYTES)	/* 1 TiB */
#define SPARSE_PAGES	(SPARSE_BYTES / PAGE_BYTES)
#define TOUCHED		40
#define STRIDE		(SPARSE_PAGES / TOUCHED)

#define LONG_PAGES	(SPARSE_PAGES / 16)
#define LONG_BYTES	(LONG_PAGES * PM_ENTRY_BYTES)

FIXTURE(interrupt) {
	struct region region;	/* a few pages, all swapped out */
	struct source src;
};

FIXTURE_SETUP(interrupt)
{
	int fd = memfd_create("xpagemap-test", MFD_CLOEXEC);
	size_t i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, SPARSE_BYTES));
	ASSERT_EQ(0, region_map(&self->region, NULL, SPARSE_PAGES,
				MAP_SHARED | MAP_NORESERVE, fd, 0));
	for (i = 0; i < TOUCHED; i++)
		region_fill_page(&self->region, i * STRIDE);
	for (i = 0; i < TOUCHED; i++)
		ASSERT_EQ(0, region_pageout_pages(&self->region, i * STRIDE, 1));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(interrupt)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

/* Maps a buffer of @bytes, which repeats the same 2 MiB of memory. */
static void *folded_buffer(size_t bytes)
{
	int fd = memfd_create("xpagemap-buffer", MFD_CLOEXEC);
	unsigned char *buf;
	size_t at;

	if (fd < 0 || ftruncate(fd, PMD_BYTES))
		return NULL;
	buf = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (at = 0; buf != MAP_FAILED && at < bytes; at += PMD_BYTES)
		if (mmap(buf + at, PMD_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return NULL;
	close(fd);
	return buf == MAP_FAILED ? NULL : buf;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static off_t position(const struct region *r, size_t page)
{
	return (unsigned long)region_page(r, page) / PAGE_BYTES * PM_ENTRY_BYTES;
}

TEST_F(interrupt, a_terabyte_almost_empty)
{
	struct region one = self->region;
	struct survey s;
	size_t i;

	one.pages = 1000;
	for (i = 0; i < TOUCHED; i++) {
		one.addr = region_page(&self->region, i * STRIDE);
		one.first = i * STRIDE;
		ASSERT_EQ(0, survey_region(&self->src, &one, &s));
		EXPECT_EQ(1, s.located);
		EXPECT_EQ(999, s.nothing);
		EXPECT_EQ(0, s.mistaken);
	}
}

struct long_read {
	const struct source *src;
	const struct region *region;
	void *buf;
	bool returned;
};

static int read_long(struct child *c, void *arg)
{
	struct long_read *lr = arg;

	child_tell(c);
	if (pread(lr->src->fd, lr->buf, LONG_BYTES, position(lr->region, 0)) > 0)
		lr->returned = true;
	return 0;
}

/* A killed reader ends long before its read would have. */
TEST_F(interrupt, a_fatal_signal_ends_a_long_read)
{
	struct long_read *lr;
	struct child c;
	double whole, killed;
	int status;

	lr = mmap(NULL, sizeof(*lr), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, lr);
	lr->src = &self->src;
	lr->region = &self->region;
	lr->buf = folded_buffer(LONG_BYTES);
	ASSERT_NE(NULL, lr->buf);

	whole = now();
	ASSERT_EQ(0, child_start(&c, read_long, lr));
	status = child_wait(&c);
	whole = now() - whole;
	ASSERT_EQ(0, status);
	ASSERT_TRUE(lr->returned);

	lr->returned = false;
	ASSERT_EQ(0, child_start(&c, read_long, lr));
	ASSERT_TRUE(child_hear(&c));
	usleep(whole / 10 * 1e6);
	killed = now();
	status = child_kill(&c);
	killed = now() - killed;
	ksft_print_msg("the whole read took %.3f s, dying %.3f s\n", whole, killed);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_FALSE(lr->returned);
	EXPECT_GT((long)(whole / 2 * 1e6), (long)(killed * 1e6));
	munmap(lr->buf, LONG_BYTES);
}

static int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* Signals that are not fatal do not shorten reads. */
TEST_F(interrupt, other_signals_do_not)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = {};
	size_t bytes = 8 * PMD_BYTES, rounds = 0;
	void *buf = folded_buffer(bytes);
	double start = now();

	ASSERT_NE(NULL, buf);
	ASSERT_TRUE(signal(SIGALRM, on_alarm) != SIG_ERR);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &often, NULL));
	while (now() < start + 1 || alarms < 5) {
		ASSERT_EQ((ssize_t)bytes, pread(self->src.fd, buf, bytes,
						position(&self->region, 0)));
		rounds++;
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_LT(0, rounds);
	munmap(buf, bytes);
}

TEST_HARNESS_MAIN
