// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's sample rust_pagemap: its counts equal those of /proc/PID/pagemap, smaps and
 * cachestat(), its swap slots those of PAGEMAP_READ.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SAMPLE_VMAS	"/sys/kernel/debug/rust_pagemap/vmas"
#define SAMPLE_SWAP	"/sys/kernel/debug/rust_pagemap/swap"
#define PAGES		64L

/* A line of `vmas`. */
struct counts {
	unsigned long start, end;
	long pages, present, exclusive, swapped, cached;
};

static bool counts_parse(const char *line, struct counts *c)
{
	char rest;

	return sscanf(line, "%lx-%lx %ld %ld %ld %ld %ld%c", &c->start, &c->end, &c->pages,
		      &c->present, &c->exclusive, &c->swapped, &c->cached, &rest) == 7;
}

/* The report about a number, malloc()ed; NULL with errno. */
static char *report(const char *path, int number)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char *text = NULL;
	size_t len;

	if (fd < 0)
		return NULL;
	if (dprintf(fd, "%d\n", number) > 0)
		text = read_to_end(fd, 4096, &len);
	close(fd);
	return text;
}

/* The line of the VMA that begins with a region. Returns 0 or a negative errno. */
static int counts_of(pid_t pid, const struct region *r, struct counts *c)
{
	char *text = report(SAMPLE_VMAS, pid), *line, *rest = text;
	int ret = -ENOENT;

	if (!text)
		return -errno;
	while (ret && (line = strsep(&rest, "\n")))
		if (counts_parse(line, c) && c->start == (unsigned long)r->addr)
			ret = 0;
	free(text);
	return ret;
}

/* Number of a region's entries of /proc/PID/pagemap with a bit, or a negative errno. */
static long proc_count(pid_t pid, const struct region *r, __u64 bit)
{
	int fd = proc_pagemap_open(pid);
	__u64 entries[PAGES];
	long count = 0, i, got;

	if (fd < 0)
		return fd;
	got = pagemap_read(fd, r->addr, entries, r->pages);
	close(fd);
	for (i = 0; i < got; i++)
		count += !!(entries[i] & bit);
	return got < 0 ? got : count;
}

/* A number of KiB of a VMA in /proc/PID/smaps, in pages; or a negative errno. */
static long smaps_pages(pid_t pid, unsigned long start, const char *key)
{
	unsigned long at, end, found = 0, kib;
	char path[32], line[512];
	long ret = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (ret < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &at, &end) == 2)
			found = at;
		else if (found == start && !strncmp(line, key, strlen(key)) &&
			 sscanf(line + strlen(key), ": %lu kB", &kib) == 1)
			ret = kib * 1024 / PAGE_BYTES;
	}
	fclose(f);
	return ret;
}

FIXTURE(sample) {
	struct region r;
	struct child child;
};

FIXTURE_SETUP(sample)
{
	self->r.fd = -1;
}

FIXTURE_TEARDOWN(sample)
{
	if (self->child.pid)
		child_kill(&self->child);
	region_free(&self->r);
}

TEST_F(sample, counts_of_shared_memory)
{
	struct counts c;
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&self->r, PAGES));
	for (i = 0; i < 48; i++)
		region_fill_page(&self->r, i);
	ASSERT_EQ(0, region_pageout_pages(&self->r, 0, 32));
	/* Cached, and not mapped any more. */
	ASSERT_EQ(0, madvise(region_page(&self->r, 40), 8 * PAGE_BYTES, MADV_DONTNEED));

	ASSERT_EQ(0, counts_of(getpid(), &self->r, &c));
	EXPECT_EQ(PAGES, c.pages);
	EXPECT_EQ(8, c.present);
	EXPECT_EQ(proc_count(getpid(), &self->r, PM_PRESENT), c.present);
	EXPECT_EQ(0, c.exclusive);
	EXPECT_EQ(32, c.swapped);
	EXPECT_EQ(region_count(&self->r, PAGE_SWAPPED), c.swapped);
	EXPECT_EQ(smaps_pages(getpid(), c.start, "Swap"), c.swapped);
	EXPECT_EQ(16, c.cached);
	EXPECT_EQ(region_count(&self->r, PAGE_RESIDENT), c.cached);
}

TEST_F(sample, counts_of_private_memory)
{
	struct counts c;
	size_t i;

	ASSERT_EQ(0, region_map_filled(&self->r, PAGES));
	ASSERT_EQ(0, counts_of(getpid(), &self->r, &c));
	EXPECT_EQ(PAGES, c.present);
	EXPECT_EQ(PAGES, c.exclusive);

	ASSERT_EQ(0, child_start_idle(&self->child));
	for (i = 0; i < 4; i++)
		region_fill_page(&self->r, i);
	ASSERT_EQ(0, counts_of(getpid(), &self->r, &c));
	EXPECT_EQ(PAGES, c.present);
	EXPECT_EQ(4, c.exclusive);
	ASSERT_EQ(0, counts_of(self->child.pid, &self->r, &c));
	EXPECT_EQ(PAGES, c.present);
	EXPECT_EQ(0, c.exclusive);

	child_kill(&self->child);
	self->child.pid = 0;
	ASSERT_EQ(0, region_pageout_pages(&self->r, 0, 16));
	ASSERT_EQ(0, counts_of(getpid(), &self->r, &c));
	EXPECT_EQ(16, c.swapped);
	EXPECT_EQ(proc_count(getpid(), &self->r, PM_SWAP), c.swapped);
	EXPECT_EQ(proc_count(getpid(), &self->r, PM_PRESENT), c.present);
	EXPECT_EQ(smaps_pages(getpid(), c.start, "Swap"), c.swapped);
	EXPECT_EQ(0, c.cached);
}

TEST_F(sample, lines_are_the_mappings_of_smaps)
{
	char *text, *line, *rest;
	size_t lines = 0;
	struct counts c;
	char path[32], *maps;
	int fd;

	ASSERT_EQ(0, child_start_idle(&self->child));
	/* A child that runs maps pages of files between one look and the next. */
	ASSERT_EQ(0, kill(self->child.pid, SIGSTOP));
	ASSERT_EQ(self->child.pid, waitpid(self->child.pid, NULL, WUNTRACED));
	text = report(SAMPLE_VMAS, self->child.pid);
	ASSERT_NE(NULL, text);
	for (rest = text; (line = strsep(&rest, "\n")) && *line; ) {
		if (*line == '#')
			continue;
		ASSERT_TRUE(counts_parse(line, &c)) TH_LOG("in the line \"%s\"", line);
		lines++;
		EXPECT_EQ((long)((c.end - c.start) / PAGE_BYTES), c.pages);
		/* Zero pages are mapped, and not part of Rss. */
		EXPECT_LE(smaps_pages(self->child.pid, c.start, "Rss"), c.present)
			TH_LOG("in the line \"%s\"", line);
		EXPECT_EQ(smaps_pages(self->child.pid, c.start, "Size"), c.pages);
	}
	free(text);

	snprintf(path, sizeof(path), "/proc/%d/maps", self->child.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	maps = read_to_end(fd, 4096, &(size_t){ 0 });
	close(fd);
	ASSERT_NE(NULL, maps);
	for (rest = maps; (line = strsep(&rest, "\n")) && *line; )
		lines -= !strstr(line, "[vsyscall]");
	free(maps);
	EXPECT_EQ(0, lines);
}

TEST_F(sample, swap_slots_of_a_file)
{
	struct pm_read_arg arg = { .size = sizeof(arg), .flags = PM_READ_SHMEM_SWAP };
	unsigned long index, pages, type, offset, i;
	char *text, *line, *rest;
	__u64 entries[PAGES];
	int fd, got, found = 0;

	ASSERT_EQ(0, region_map_memfd(&self->r, PAGES));
	region_fill(&self->r);
	ASSERT_EQ(0, region_pageout_pages(&self->r, 8, 40));
	text = report(SAMPLE_SWAP, self->r.fd);
	ASSERT_NE(NULL, text);
	fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, fd);
	arg.start = (unsigned long)self->r.addr;
	arg.end = arg.start + PAGES * PAGE_BYTES;
	arg.vec = (unsigned long)entries;
	arg.vec_len = PAGES;
	ASSERT_EQ((int)PAGES, ioctl(fd, PAGEMAP_READ, &arg));
	close(fd);

	for (rest = text; (line = strsep(&rest, "\n")) && *line; ) {
		if (*line == '#')
			continue;
		got = sscanf(line, "%lu %lu %lu %lu", &index, &pages, &type, &offset);
		ASSERT_EQ(4, got);
		ASSERT_GE((unsigned long)PAGES, index + pages);
		for (i = 0; i < pages; i++, found++) {
			__u64 entry = entries[index + i];

			EXPECT_TRUE(entry & PM_SWAP);
			EXPECT_EQ(type, pm_swap_type(entry));
			EXPECT_EQ(offset + i, pm_swap_offset(entry));
		}
	}
	free(text);
	EXPECT_EQ(40, found);
}

TEST_F(sample, errors)
{
	char byte;
	int fd;

	fd = open(SAMPLE_VMAS, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(fd, "one\n", 4));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(fd, "2147483647\n", 11));
	EXPECT_EQ(ESRCH, errno);
	close(fd);

	fd = open(SAMPLE_SWAP, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, "-1\n", 3));
	EXPECT_EQ(EBADF, errno);
	/* A descriptor of its own: debugfs. */
	EXPECT_EQ(-1, dprintf(fd, "%d\n", fd));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);

	ASSERT_EQ(0, drop_capability(CAP_SYS_ADMIN));
	EXPECT_EQ(-1, open(SAMPLE_VMAS, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EPERM, errno);
}

TEST_HARNESS_MAIN
