// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(PAGEMAP_READ): results, ends of the walk, permissions and errors. The other
 * programs compare its entries of each kind of memory with the module's file and
 * the swap disk.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		1300
#define TASK_END	0x7ffffffff000ULL	/* four-level tables */

FIXTURE(bulkread) {
	struct region region;
	int fd;
	__u64 entries[PAGES];	/* of the whole region, with PM_READ_SHMEM_SWAP */
};

/* A third of the pages is in swap, a third in memory, a third never written. */
FIXTURE_SETUP(bulkread)
{
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	for (i = 0; i < PAGES; i++)
		if (i % 3)
			region_fill_page(&self->region, i);
	for (i = 1; i < PAGES; i += 3)
		ASSERT_EQ(0, region_pageout_pages(&self->region, i, 1));
	self->fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(PAGES, pagemap_bulk_read(self->fd, self->region.addr, self->entries,
					   PAGES, PM_READ_SHMEM_SWAP));
}

FIXTURE_TEARDOWN(bulkread)
{
	close(self->fd);
	region_free(&self->region);
}

static struct pm_read_arg arg_of(const struct region *r, size_t from, size_t pages,
				 void *vec, size_t vec_len)
{
	return (struct pm_read_arg){
		.size = sizeof(struct pm_read_arg),
		.flags = PM_READ_SHMEM_SWAP,
		.start = (unsigned long)region_page(r, from),
		.end = (unsigned long)region_page(r, from + pages),
		.vec = (unsigned long)vec,
		.vec_len = vec_len,
		.walk_end = ~0ULL,
	};
}

TEST_F(bulkread, flags_choose_what_is_shown)
{
	__u64 plain[PAGES], bulk[PAGES];
	size_t i;

	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->region.addr, plain, PAGES));
	ASSERT_EQ(PAGES, pagemap_bulk_read(self->fd, self->region.addr, bulk, PAGES, 0));
	EXPECT_EQ(0, memcmp(plain, bulk, sizeof(plain)));
	for (i = 0; i < PAGES; i++) {
		if (i % 3 == 1) {
			EXPECT_TRUE(pm_is_swap(self->entries[i]) && pm_is_nothing(plain[i]))
				TH_LOG("page %zu: %#llx", i, self->entries[i]);
		} else {
			EXPECT_EQ(plain[i], self->entries[i]) TH_LOG("page %zu", i);
		}
	}
}

TEST_F(bulkread, any_part_is_as_in_the_whole)
{
	static const size_t starts[] = { 0, 1, 7, 511, 512, 513, 1000, PAGES - 1 };
	struct pm_read_arg arg;
	__u64 part[PAGES + 1];
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (len = 1; len <= PAGES - starts[i]; len = len * 2 + 1) {
			memset(part, 0x55, sizeof(part));
			arg = arg_of(&self->region, starts[i], len, part, len);
			ASSERT_EQ((int)len, ioctl(self->fd, PAGEMAP_READ, &arg));
			EXPECT_EQ(arg.end, arg.walk_end);
			EXPECT_EQ(0, memcmp(part, self->entries + starts[i],
					    len * PM_ENTRY_BYTES))
				TH_LOG("%zu entries from %zu on", len, starts[i]);
			EXPECT_EQ(0x5555555555555555ULL, part[len]);
		}
	}
}

/* An end within a page is rounded up; a short vector ends the walk. */
TEST_F(bulkread, ends_of_ranges_and_vectors)
{
	__u64 part[PAGES] = {};
	struct pm_read_arg arg;

	arg = arg_of(&self->region, 10, 20, part, PAGES);
	arg.end -= PAGE_BYTES - 1;
	ASSERT_EQ(20, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ((__u64)(unsigned long)region_page(&self->region, 30), arg.walk_end);

	arg = arg_of(&self->region, 10, 1000, part, 600);
	ASSERT_EQ(600, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ((__u64)(unsigned long)region_page(&self->region, 610), arg.walk_end);
	EXPECT_EQ(0, memcmp(part, self->entries + 10, 600 * PM_ENTRY_BYTES));

	arg = arg_of(&self->region, 10, 0, part, PAGES);
	EXPECT_EQ(0, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ(arg.start, arg.walk_end);

	arg = arg_of(&self->region, 10, 20, NULL, 0);
	EXPECT_EQ(0, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ(arg.start, arg.walk_end);
}

TEST_F(bulkread, end_of_the_address_space)
{
	__u64 part[16], plain[16];
	struct pm_read_arg arg = {
		.size = sizeof(arg),
		.vec = (unsigned long)part,
		.vec_len = 16,
	};

	arg.start = TASK_END - 5 * PAGE_BYTES;
	arg.end = ~0ULL;
	ASSERT_EQ(5, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ(TASK_END, arg.walk_end);
	ASSERT_EQ(5, pagemap_read(self->fd, (void *)arg.start, plain, 16));
	EXPECT_EQ(0, memcmp(part, plain, 5 * PM_ENTRY_BYTES));
	for (arg.start = TASK_END; arg.start; arg.start <<= 1) {
		arg.start &= ~(PAGE_BYTES - 1);
		EXPECT_EQ(0, ioctl(self->fd, PAGEMAP_READ, &arg))
			TH_LOG("from %#llx on", arg.start);
	}
}

TEST_F(bulkread, position_of_the_file_is_left_alone)
{
	struct pm_read_arg arg;
	__u64 part[10];

	ASSERT_EQ(80, lseek(self->fd, 80, SEEK_SET));
	arg = arg_of(&self->region, 0, 10, part, 10);
	ASSERT_EQ(10, ioctl(self->fd, PAGEMAP_READ, &arg));
	EXPECT_EQ(80, lseek(self->fd, 0, SEEK_CUR));
}

static int errno_of(int fd, struct pm_read_arg arg)
{
	return ioctl(fd, PAGEMAP_READ, &arg) < 0 ? errno : 0;
}

TEST_F(bulkread, malformed_arguments)
{
	struct pm_read_arg good, arg;
	__u64 part[10];
	int bit;

	good = arg_of(&self->region, 0, 10, part, 10);
	ASSERT_EQ(0, errno_of(self->fd, good));
	for (bit = 2; bit < 64; bit++) {
		arg = good;
		arg.flags = 1ULL << bit;
		EXPECT_EQ(EINVAL, errno_of(self->fd, arg)) TH_LOG("flag %d", bit);
	}
	for (arg = good, arg.size = 0; arg.size < 2 * sizeof(arg); arg.size += 4)
		EXPECT_EQ(arg.size == sizeof(arg) ? 0 : EINVAL, errno_of(self->fd, arg))
			TH_LOG("size %llu", arg.size);
	arg = good;
	arg.start += 8;
	EXPECT_EQ(EINVAL, errno_of(self->fd, arg));
	arg = good;
	arg.end = arg.start - PAGE_BYTES;
	EXPECT_EQ(EINVAL, errno_of(self->fd, arg));
	arg = good;
	arg.vec = 0;
	EXPECT_EQ(EINVAL, errno_of(self->fd, arg));
	EXPECT_EQ(-1, ioctl(self->fd, PAGEMAP_READ, NULL));
	EXPECT_EQ(EFAULT, errno);
}

/* Entries copied before the fault are valid up to walk_end. */
TEST_F(bulkread, vector_that_ends_in_a_fault)
{
	unsigned char *buf = mmap(NULL, 3 * PAGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pm_read_arg arg;
	size_t done;

	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, mprotect(buf + 2 * PAGE_BYTES, PAGE_BYTES, PROT_NONE));
	arg = arg_of(&self->region, 0, PAGES, buf, PAGES);
	EXPECT_EQ(EFAULT, ioctl(self->fd, PAGEMAP_READ, &arg) < 0 ? errno : 0);
	EXPECT_LE(arg.start, arg.walk_end);
	done = (arg.walk_end - arg.start) / PAGE_BYTES;
	EXPECT_LT(0, done);
	EXPECT_GE(1024, done);
	EXPECT_EQ(0, memcmp(buf, self->entries, done * PM_ENTRY_BYTES));
	arg = arg_of(&self->region, 0, PAGES, buf + 2 * PAGE_BYTES, PAGES);
	EXPECT_EQ(EFAULT, ioctl(self->fd, PAGEMAP_READ, &arg) < 0 ? errno : 0);
	EXPECT_EQ(arg.start, arg.walk_end);
	munmap(buf, 3 * PAGE_BYTES);
}

TEST_F(bulkread, needs_a_file_open_for_reading)
{
	int fd = open("/proc/self/pagemap", O_WRONLY | O_CLOEXEC);
	struct pm_read_arg arg;
	__u64 part[10];

	ASSERT_LE(0, fd);
	arg = arg_of(&self->region, 0, 10, part, 10);
	EXPECT_EQ(EBADF, errno_of(fd, arg));
	close(fd);
}

TEST_F(bulkread, target_that_is_gone)
{
	struct pm_read_arg arg;
	__u64 part[10];
	struct child c;
	int fd;

	ASSERT_EQ(0, child_start_idle(&c));
	fd = proc_pagemap_open(c.pid);
	ASSERT_LE(0, fd);
	arg = arg_of(&self->region, 0, 10, part, 10);
	EXPECT_EQ(0, errno_of(fd, arg));
	child_kill(&c);
	EXPECT_EQ(ESRCH, errno_of(fd, arg));
	close(fd);
}

struct reader {
	const struct region *region;
	const __u64 *entries;
	int fd;			/* opened with all capabilities */
};

/* Exit status 0: all checks hold. */
static int read_without_capability(struct child *c, void *arg)
{
	const struct reader *rd = arg;
	__u64 entries[PAGES];
	size_t i;
	int fd;

	(void)c;
	if (drop_capability(CAP_SYS_ADMIN))
		return 2;
	fd = proc_pagemap_open(getpid());
	if (fd < 0 || pagemap_bulk_read(fd, rd->region->addr, entries, PAGES,
					PM_READ_SHMEM_SWAP) != PAGES)
		return 3;
	for (i = 0; i < PAGES; i++) {
		if (entries[i] & PM_FRAME)
			return 4;
		/* The child has no page tables yet: no page is present in them. */
		if (pm_is_swap(rd->entries[i]) &&
		    entries[i] != (rd->entries[i] & ~PM_FRAME))
			return 5;
	}
	/* The capabilities are those of the opener, not of the reader. */
	if (pagemap_bulk_read(rd->fd, rd->region->addr, entries, PAGES,
			      PM_READ_SHMEM_SWAP) != PAGES)
		return 6;
	return memcmp(entries, rd->entries, sizeof(entries)) ? 7 : 0;
}

TEST_F(bulkread, without_capability_flags_but_no_places)
{
	struct reader rd = { &self->region, self->entries, self->fd };
	struct child c;
	int status;

	ASSERT_EQ(0, child_start(&c, read_without_capability, &rd));
	status = child_wait(&c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

static int read_for_long(struct child *c, void *arg)
{
	size_t bytes = 1UL << 31;
	struct pm_read_arg read = {
		.size = sizeof(read),
		.flags = PM_READ_SHMEM_SWAP,
		.end = TASK_END,
		.vec_len = bytes / PM_ENTRY_BYTES,
	};
	int fd;

	(void)arg;
	read.vec = (unsigned long)mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	fd = proc_pagemap_open(getpid());
	if (read.vec == (unsigned long)MAP_FAILED || fd < 0 || !child_tell(c))
		return 1;
	for (;;)
		ioctl(fd, PAGEMAP_READ, &read);
}

/* Reading the entries of a terabyte takes minutes; a fatal signal must end it. */
TEST_F(bulkread, killed_in_the_middle)
{
	struct timespec from, to;
	struct child c;

	ASSERT_EQ(0, child_start(&c, read_for_long, NULL));
	ASSERT_TRUE(child_hear(&c));
	usleep(300000);
	clock_gettime(CLOCK_MONOTONIC, &from);
	child_kill(&c);
	clock_gettime(CLOCK_MONOTONIC, &to);
	EXPECT_GE(3, to.tv_sec - from.tv_sec);
}

TEST_HARNESS_MAIN
