// SPDX-License-Identifier: GPL-2.0
/* needs: /proc/thread-self/fail-nth */
/*
 * Each read and ioctl again and again, with its first, its second, ... allocation or copy
 * failing, until it needs no more of them. One that fails returns a documented error, and the
 * next one has all that the first should have had.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <sys/ioctl.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/shmemscan.h"

#define PAGES		48
#define ANON		24
#define POINTS_MAX	4000
#define OUTPUT_MAX	(256 << 10)
#define PATH		160

FIXTURE(failures_reads) {
	struct child target;		/* attached */
	struct region shared, own;
	char id[FILE_ID];		/* of the shared memory, attached */
	char *output, *expected;
	unsigned int points;		/* allocations and copies that failed */
	unsigned int refused;		/* calls that failed of it */
};

FIXTURE_SETUP(failures_reads)
{
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&self->shared, PAGES));
	for (i = 0; i < PAGES; i++)
		if (i % 3)
			region_fill_page(&self->shared, i);
	for (i = 1; i < PAGES; i += 3)
		ASSERT_EQ(0, region_pageout_pages(&self->shared, i, 1));
	ASSERT_EQ(0, region_map_filled(&self->own, ANON));
	ASSERT_EQ(0, region_pageout_pages(&self->own, 0, ANON / 2));
	/* Read back, it keeps its slot. */
	ASSERT_EQ(0, madvise(region_page(&self->own, 0), PAGE_BYTES, MADV_POPULATE_READ));
	file_id(self->shared.fd, self->id, sizeof(self->id));
	self->output = mmap(NULL, 2 * OUTPUT_MAX, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->output);
	self->expected = self->output + OUTPUT_MAX;
	ASSERT_EQ(0, child_start_idle(&self->target));
	ASSERT_EQ(0, attach(self->target.pid));
	ASSERT_EQ(0, attach_fd(self->shared.fd));
	ASSERT_EQ(0, failures_prepare());
}

FIXTURE_TEARDOWN(failures_reads)
{
	EXPECT_EQ(0, failures_restore());
	EXPECT_LT(0, self->points);
	EXPECT_LT(0, self->refused);
	EXPECT_EQ(0, detach(self->target.pid));
	EXPECT_EQ(0, detach_fd(self->id));
	child_kill(&self->target);
	region_free(&self->shared);
	region_free(&self->own);
}

#define scene struct _test_data_failures_reads

static bool allowed(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* A file that is read: from @offset on, @limit bytes at most, @step at a time. */
struct readable {
	const char *name;
	const char *chosen;	/* written to it before */
	char path[PATH];
	off_t offset;
	size_t limit, step;
};

static int readable_open(const struct readable *v)
{
	int fd = open(v->path, (v->chosen ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (v->chosen && write(fd, v->chosen, strlen(v->chosen)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	lseek(fd, v->offset, SEEK_SET);
	return fd;
}

/* Adds to *@len what is read up to the end, the limit, or an error, which it returns. */
static int readable_read(const struct readable *v, int fd, char *buf, size_t *len)
{
	ssize_t got = 1;

	while (got > 0 && *len < v->limit) {
		got = read(fd, buf + *len, v->limit - *len < v->step ? v->limit - *len : v->step);
		if (got > 0)
			*len += got;
	}
	return got < 0 ? -errno : 0;
}

static int readable_all(const struct readable *v, char *buf, size_t *len)
{
	int fd = readable_open(v), err;

	*len = 0;
	if (fd < 0)
		return fd;
	err = readable_read(v, fd, buf, len);
	close(fd);
	return err;
}

/* Open and reads: one that succeeds has all, also when a failure was absorbed. */
static void fail_open(struct __test_metadata *_metadata, scene *s, const struct readable *v,
		      size_t expected)
{
	unsigned int nth;
	int err, reached = 1;
	size_t len;

	for (nth = 1; reached && nth < POINTS_MAX; nth++) {
		ASSERT_EQ(0, failure_begin(nth));
		err = readable_all(v, s->output, &len);
		reached = failure_end();
		ASSERT_LE(0, reached);
		s->points += reached;
		s->refused += !!err;
		EXPECT_TRUE(!err || (reached && allowed(err)))
			TH_LOG("%s: point %u: %s", v->name, nth, strerror(-err));
		EXPECT_TRUE(err || (len == expected && !memcmp(s->output, s->expected, len)))
			TH_LOG("%s: point %u: another content", v->name, nth);
	}
	EXPECT_EQ(0, reached);
	ksft_print_msg("%s: %u points\n", v->name, nth - 2);
}

/* The same open file goes on where the read that failed was to begin. */
static void fail_read(struct __test_metadata *_metadata, scene *s, const struct readable *v,
		      size_t expected)
{
	int fd, err, reached = 1;
	unsigned int nth;
	size_t len;

	for (nth = 1; reached && nth < POINTS_MAX; nth++) {
		fd = readable_open(v);
		ASSERT_LE(0, fd);
		len = 0;
		ASSERT_EQ(0, failure_begin(nth));
		err = readable_read(v, fd, s->output, &len);
		reached = failure_end();
		ASSERT_LE(0, reached);
		s->points += reached;
		s->refused += !!err;
		EXPECT_TRUE(!err || (reached && allowed(err)))
			TH_LOG("%s: point %u: %s", v->name, nth, strerror(-err));
		EXPECT_EQ(0, readable_read(v, fd, s->output, &len));
		EXPECT_TRUE(len == expected && !memcmp(s->output, s->expected, len))
			TH_LOG("%s: point %u: %zu bytes instead of %zu, or others", v->name, nth,
			       len, expected);
		close(fd);
	}
	EXPECT_EQ(0, reached);
	ksft_print_msg("%s, the same open file: %u points\n", v->name, nth - 2);
}

static void fail_view(struct __test_metadata *_metadata, scene *s, struct readable v)
{
	size_t expected;

	if (!v.limit)
		v.limit = OUTPUT_MAX - PAGE_BYTES;
	ASSERT_EQ(0, readable_all(&v, s->expected, &expected));
	ASSERT_LT(0, expected) TH_LOG("%s is empty", v.name);
	ASSERT_GT(OUTPUT_MAX - PAGE_BYTES, expected);
	fail_open(_metadata, s, &v, expected);
	fail_read(_metadata, s, &v, expected);
}

#define STEP 300

static void fail_target_view(struct __test_metadata *_metadata, scene *s, const char *name,
			     const struct region *r)
{
	struct readable v = { .name = name, .step = STEP };

	snprintf(v.path, PATH, XPAGEMAP_DIR "/%d/%s", s->target.pid, name);
	if (r) {
		v.step -= STEP % PM_ENTRY_BYTES;
		v.offset = (unsigned long)r->addr / PAGE_BYTES * PM_ENTRY_BYTES;
		v.limit = r->pages * PM_ENTRY_BYTES;
	}
	fail_view(_metadata, s, v);
}

TEST_F(failures_reads, reads_of_a_target)
{
	fail_target_view(_metadata, self, "pagemap", &self->shared);
	fail_target_view(_metadata, self, "exclusive", &self->own);
	fail_target_view(_metadata, self, "swapmap", NULL);
	fail_target_view(_metadata, self, "kept", NULL);
	fail_target_view(_metadata, self, "summary", NULL);
	fail_target_view(_metadata, self, "trace", NULL);
}

/* Violations are empty: there is only the end to read. */
TEST_F(failures_reads, reads_of_no_violations)
{
	struct readable v = { .name = "violations", .step = STEP, .limit = STEP };
	size_t len;

	snprintf(v.path, PATH, XPAGEMAP_DIR "/%d/violations", self->target.pid);
	ASSERT_EQ(0, readable_all(&v, self->expected, &len));
	ASSERT_EQ(0, len);
	fail_open(_metadata, self, &v, 0);
	fail_read(_metadata, self, &v, 0);
}

TEST_F(failures_reads, reads_of_a_page)
{
	static const size_t pages[] = { 0, 1, 2 };
	char chosen[32];
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(pages); i++) {
		const struct region *r = i % 2 ? &self->own : &self->shared;
		struct readable v = { .name = "page", .chosen = chosen, .step = STEP };
		size_t page = i % 2 ? pages[i / 2] * ANON / 3 : pages[i / 2];

		snprintf(chosen, sizeof(chosen), "%lx\n", (unsigned long)region_page(r, page));
		snprintf(v.path, PATH, XPAGEMAP_DIR "/%d/page", self->target.pid);
		fail_view(_metadata, self, v);
	}
}

TEST_F(failures_reads, reads_of_events)
{
	struct readable v = { .name = "events", .step = STEP };
	struct child filler;

	ASSERT_EQ(0, child_start(&filler, child_fill_when_told, &self->own));
	ASSERT_EQ(0, attach(filler.pid));
	ASSERT_EQ(0, events_start(filler.pid));
	EXPECT_TRUE(child_ask(&filler));
	EXPECT_EQ(0, events_stop(filler.pid));
	snprintf(v.path, PATH, XPAGEMAP_DIR "/%d/events", filler.pid);
	fail_view(_metadata, self, v);
	EXPECT_EQ(0, detach(filler.pid));
	child_kill(&filler);
}

TEST_F(failures_reads, reads_of_a_file)
{
	struct readable v = { .step = STEP };

	v.name = v.path + strlen(XPAGEMAP_DIR "/files/");
	snprintf(v.path, PATH, XPAGEMAP_DIR "/files/%s/swapmap", self->id);
	fail_view(_metadata, self, v);
	snprintf(v.path, PATH, XPAGEMAP_DIR "/files/%s/summary", self->id);
	fail_view(_metadata, self, v);
	snprintf(v.path, PATH, XPAGEMAP_DIR "/files/%s/filemap", self->id);
	v.step -= STEP % PM_ENTRY_BYTES;
	fail_view(_metadata, self, v);
}

TEST_F(failures_reads, reads_of_the_system)
{
	struct readable v = { .name = "stats", .path = XPAGEMAP_STATS, .step = STEP };

	fail_view(_metadata, self, v);
	v = (struct readable){ .name = "shmem", .path = XPAGEMAP_SHMEM, .step = STEP };
	fail_view(_metadata, self, v);
}

/* An ioctl of an open file. Returns its result or a negative errno; the output is in @buf. */
struct request {
	const char *name;
	int fd;
	long (*call)(scene *s, int fd, char *buf);
};

static long scan(scene *s, int fd, char *buf)
{
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE,
		.start = (unsigned long)s->shared.addr,
		.end = (unsigned long)s->shared.addr + PAGES * PAGE_BYTES,
		.vec = (unsigned long)buf,
		.vec_len = 600,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_FILE | PAGE_IS_CACHED,
	};
	int got = ioctl(fd, PAGEMAP_SCAN, &arg);

	return got < 0 ? -errno : got;
}

static long bulk(scene *s, int fd, char *buf)
{
	struct pm_read_arg arg = {
		.size = sizeof(arg),
		.flags = PM_READ_SHMEM_SWAP | PM_READ_SHMEM_CACHE,
		.start = (unsigned long)s->shared.addr,
		.end = (unsigned long)s->shared.addr + PAGES * PAGE_BYTES,
		.vec = (unsigned long)buf,
		.vec_len = PAGES,
	};
	int got = ioctl(fd, PAGEMAP_READ, &arg);

	return got < 0 ? -errno : got;
}

static long shmem(scene *s, int fd, char *buf)
{
	struct shmem_scan_arg arg = {
		.size = sizeof(arg),
		.flags = SHMEM_SCAN_LOCATION,
		.end = PAGES * PAGE_BYTES,
		.vec = (unsigned long)buf,
		.vec_len = 600,
	};
	int got = ioctl(fd, SHMEM_SCAN, &arg);

	(void)s;
	return got < 0 ? -errno : got;
}

static void fail_request(struct __test_metadata *_metadata, scene *s, const struct request *r)
{
	unsigned int nth;
	int reached = 1;
	long due, got;

	memset(s->expected, 0, OUTPUT_MAX);
	due = r->call(s, r->fd, s->expected);
	ASSERT_LT(0, due);
	for (nth = 1; reached && nth < POINTS_MAX; nth++) {
		memset(s->output, 0, OUTPUT_MAX);
		ASSERT_EQ(0, failure_begin(nth));
		got = r->call(s, r->fd, s->output);
		reached = failure_end();
		ASSERT_LE(0, reached);
		s->points += reached;
		s->refused += got < 0;
		EXPECT_TRUE(got >= 0 ? got == due : reached && allowed(got))
			TH_LOG("%s: point %u: %ld instead of %ld", r->name, nth, got, due);
		EXPECT_TRUE(got < 0 || !memcmp(s->output, s->expected, OUTPUT_MAX))
			TH_LOG("%s: point %u: another result", r->name, nth);
	}
	EXPECT_EQ(0, reached);
	ksft_print_msg("%s: %u points\n", r->name, nth - 2);
}

TEST_F(failures_reads, ioctls)
{
	int pagemap = proc_pagemap_open(self->target.pid);
	const struct request requests[] = {
		{ "PAGEMAP_SCAN", pagemap, scan },
		{ "PAGEMAP_READ", pagemap, bulk },
		{ "SHMEM_SCAN", self->shared.fd, shmem },
	};
	size_t i;

	ASSERT_LE(0, pagemap);
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		fail_request(_metadata, self, &requests[i]);
	close(pagemap);
}

TEST_HARNESS_MAIN
