// SPDX-License-Identifier: GPL-2.0
/*
 * read(), pread() and lseek() of PID/pagemap: positions, ends and buffers. /proc's
 * pagemap must give the same result each time.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define TASK_PAGES	(0x7ffffffff000ULL / PAGE_BYTES)	/* four-level tables */
#define BIG_PAGES	(512 * PMD_PAGES)			/* 1 GiB */

FIXTURE(window) {
	struct region region;
	struct source src;
};

FIXTURE_SETUP(window)
{
	ASSERT_EQ(0, region_map_memfd(&self->region, 3000));
	region_fill(&self->region);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(window)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

struct answer {
	ssize_t ret;
	int err;
};

static struct answer ask(int fd, void *buf, size_t len, off_t pos)
{
	struct answer a = { .ret = pread(fd, buf, len, pos) };

	a.err = a.ret < 0 ? errno : 0;
	return a;
}

static bool same(struct answer mine, struct answer proc)
{
	if (mine.ret == proc.ret && mine.err == proc.err)
		return true;
	ksft_print_msg("%zd (%s), /proc gives %zd (%s)\n", mine.ret,
		       strerror(mine.err), proc.ret, strerror(proc.err));
	return false;
}

TEST_F(window, ends_where_the_address_space_ends)
{
	__u64 mine[16] = {}, proc[16] = {};
	struct answer a, b;
	long long page;

	for (page = TASK_PAGES - 8; page < (long long)TASK_PAGES + 8; page++) {
		a = ask(self->src.fd, mine, sizeof(mine), page * PM_ENTRY_BYTES);
		b = ask(self->src.proc, proc, sizeof(proc), page * PM_ENTRY_BYTES);
		EXPECT_TRUE(same(a, b))
			TH_LOG("%lld pages from the end", page - (long long)TASK_PAGES);
		EXPECT_EQ(0, memcmp(mine, proc, sizeof(mine)));
	}
}

TEST_F(window, far_beyond_the_end)
{
	static const off_t positions[] = {
		1LL << 40, 1LL << 52, 1LL << 55, (1LL << 55) - 8, (1LL << 55) + 8,
		1LL << 62, LLONG_MAX - 7, LLONG_MAX - 15, -8, LLONG_MIN,
	};
	struct answer a, b;
	__u64 entries[4];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(positions); i++) {
		a = ask(self->src.fd, entries, sizeof(entries), positions[i]);
		b = ask(self->src.proc, entries, sizeof(entries), positions[i]);
		EXPECT_TRUE(same(a, b)) TH_LOG("at %#llx", (long long)positions[i]);
	}
}

TEST_F(window, unaligned_is_invalid)
{
	struct answer a, b;
	char buf[64];
	int pos, len;

	for (pos = 0; pos <= 16; pos++) {
		for (len = 0; len <= 24; len++) {
			a = ask(self->src.fd, buf, len, pos);
			b = ask(self->src.proc, buf, len, pos);
			EXPECT_TRUE(same(a, b)) TH_LOG("%d bytes at %d", len, pos);
			if (pos % 8 || len % 8)
				EXPECT_EQ(EINVAL, a.err);
		}
	}
}

TEST_F(window, reading_on_and_seeking)
{
	off_t start = (unsigned long)self->region.addr / PAGE_BYTES * PM_ENTRY_BYTES;
	__u64 whole[300], part[100];
	int i;

	ASSERT_EQ(300, pagemap_read(self->src.fd, self->region.addr, whole, 300));
	ASSERT_EQ(start, lseek(self->src.fd, start, SEEK_SET));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ((ssize_t)sizeof(part),
			  read(self->src.fd, part, sizeof(part)));
		EXPECT_EQ(0, memcmp(part, whole + i * 100, sizeof(part)));
	}
	EXPECT_EQ(start + 2400, lseek(self->src.fd, 0, SEEK_CUR));
	EXPECT_EQ(start + 1600, lseek(self->src.fd, -800, SEEK_CUR));
	ASSERT_EQ((ssize_t)sizeof(part), read(self->src.fd, part, sizeof(part)));
	EXPECT_EQ(0, memcmp(part, whole + 200, sizeof(part)));
}

/* A failed read does not change the file position. */
TEST_F(window, failing_does_not_move_the_position)
{
	ASSERT_EQ(4096, lseek(self->src.fd, 4096, SEEK_SET));
	EXPECT_EQ(-1, read(self->src.fd, NULL, 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(4096, lseek(self->src.fd, 0, SEEK_CUR));
	EXPECT_EQ(-1, read(self->src.fd, &errno, 7));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(4096, lseek(self->src.fd, 0, SEEK_CUR));
}

/* One read of the entries of 1 GiB equals many small ones. */
TEST_F(window, one_large_read)
{
	size_t bytes = BIG_PAGES * PM_ENTRY_BYTES, at, differing = 0;
	unsigned char *span = region_find_aligned(BIG_PAGES * PAGE_BYTES);
	struct region r = self->region;
	__u64 *large, *small;
	off_t pos;

	/* The mapping is surrounded by reserved addresses, which stay the same. */
	ASSERT_NE(NULL, span);
	ASSERT_EQ(0, region_map(&r, span + BIG_PAGES / 2 * PAGE_BYTES, r.pages,
				MAP_SHARED | MAP_FIXED, r.fd, 0));
	ASSERT_EQ(span, mmap(span, PMD_BYTES, PROT_NONE, MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, munmap(self->region.addr, r.pages * PAGE_BYTES));
	self->region.addr = r.addr;
	ASSERT_EQ(0, madvise(r.addr, r.pages * PAGE_BYTES, MADV_POPULATE_WRITE));
	ASSERT_EQ(0, region_pageout(&r));
	large = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, large);
	small = large + BIG_PAGES;
	pos = (unsigned long)span / PAGE_BYTES * PM_ENTRY_BYTES;
	ASSERT_EQ((ssize_t)bytes, pread(self->src.fd, large, bytes, pos));
	for (at = 0; at < BIG_PAGES; at += 512) {
		ASSERT_EQ(4096, pread(self->src.fd, small + at, 4096,
				      pos + at * PM_ENTRY_BYTES));
		differing += !!memcmp(large + at, small + at, 4096);
	}
	EXPECT_EQ(0, differing);
	for (at = 0; at < BIG_PAGES; at++)
		differing += pm_is_swap(large[at]) !=
			     (at >= BIG_PAGES / 2 && at < BIG_PAGES / 2 + r.pages);
	EXPECT_EQ(0, differing);
	munmap(large, 2 * bytes);
}

/* The buffer is unmapped, or read-only, after some good pages. */
TEST_F(window, buffer_bad_from_some_page_on)
{
	static const int prots[] = { PROT_NONE, PROT_READ };
	off_t pos = (unsigned long)self->region.addr / PAGE_BYTES * PM_ENTRY_BYTES;
	unsigned char *buf;
	struct answer a, b;
	size_t i, good;

	for (i = 0; i < ARRAY_SIZE(prots); i++) {
		for (good = 0; good < 4; good++) {
			buf = mmap(NULL, 4 * PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			ASSERT_NE(MAP_FAILED, buf);
			ASSERT_EQ(0, mprotect(buf + good * PAGE_BYTES,
					      (4 - good) * PAGE_BYTES, prots[i]));
			a = ask(self->src.fd, buf, 4 * PAGE_BYTES, pos);
			b = ask(self->src.proc, buf, 4 * PAGE_BYTES, pos);
			EXPECT_TRUE(same(a, b)) TH_LOG("%zu good pages", good);
			EXPECT_EQ(EFAULT, a.err);
			munmap(buf, 4 * PAGE_BYTES);
		}
	}
}

/* The buffer is faulted in; the reader is the target itself. */
TEST_F(window, buffer_is_itself_shared_and_swapped)
{
	off_t pos = (unsigned long)self->region.addr / PAGE_BYTES * PM_ENTRY_BYTES;
	struct region buf;

	ASSERT_EQ(0, region_map_shared_anon(&buf, 5));
	region_fill(&buf);
	ASSERT_EQ(0, region_pageout(&buf));
	ASSERT_EQ((ssize_t)(5 * PAGE_BYTES),
		  pread(self->src.fd, buf.addr, 5 * PAGE_BYTES, pos));
	EXPECT_EQ(5, region_count(&buf, PAGE_RESIDENT));
	region_free(&buf);
}

TEST_HARNESS_MAIN
