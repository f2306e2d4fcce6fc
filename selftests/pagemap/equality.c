// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of all but swapped shared pages equal those in /proc bit for bit: of a
 * whole process, and of each kind of memory that has entries of its own.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define KSM_DIR "/sys/kernel/mm/ksm"

FIXTURE(equality) {
	struct source src;
};

FIXTURE_SETUP(equality)
{
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(equality)
{
	EXPECT_EQ(0, source_close(&self->src));
}

static void *map_anon(size_t pages, int prot)
{
	return mmap(NULL, pages * PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static bool parse_range(const char *line, unsigned long *start, unsigned long *end)
{
	int got = sscanf(line, "%lx-%lx", start, end);

	return got == 2;
}

/* The program, libraries, heap, stack, vvar, vdso, vsyscall. */
TEST_F(equality, every_mapping_of_a_process)
{
	unsigned long start, end;
	char line[512], maps[65536];
	int vmas = 0, special = 0;
	char *next;

	/* Read maps first: reading a file can grow the heap. */
	ASSERT_LT(0, read_text("/proc/self/maps", maps, sizeof(maps)));
	for (next = maps; sscanf(next, "%511[^\n]", line) == 1;
	     next += strlen(line) + 1) {
		ASSERT_TRUE(parse_range(line, &start, &end));
		vmas++;
		special += !!strstr(line, "[stack]") + !!strstr(line, "[vdso]") +
			   !!strstr(line, "[vvar]") + !!strstr(line, "[heap]");
		EXPECT_EQ(0, compare_range(&self->src, (void *)start,
					   (end - start) / PAGE_BYTES))
			TH_LOG("in %s", line);
	}
	EXPECT_LT(8, vmas);
	EXPECT_LE(3, special);
}

TEST_F(equality, another_process)
{
	unsigned long start, end;
	char path[64], maps[65536], *line;
	struct source src;
	struct child c;

	ASSERT_EQ(0, child_start_idle(&c));
	EXPECT_EQ(0, source_open(&src, c.pid));
	snprintf(path, sizeof(path), "/proc/%d/maps", c.pid);
	EXPECT_LT(0, read_text(path, maps, sizeof(maps)));
	for (line = strtok(maps, "\n"); line; line = strtok(NULL, "\n")) {
		EXPECT_TRUE(parse_range(line, &start, &end));
		EXPECT_EQ(0, compare_range(&src, (void *)start,
					   (end - start) / PAGE_BYTES))
			TH_LOG("in %s", line);
	}
	EXPECT_EQ(0, source_close(&src));
	child_kill(&c);
}

TEST_F(equality, private_anonymous_half_swapped)
{
	struct region r;

	ASSERT_EQ(0, region_map_private_anon(&r, 1000));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout_pages(&r, 200, 500));
	EXPECT_EQ(500, count_entries(self->src.fd, r.addr, 1000, PM_SWAP));
	EXPECT_EQ(500, count_entries(self->src.fd, r.addr, 1000, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, r.addr, 1000));
	region_free(&r);
}

TEST_F(equality, zero_pages)
{
	unsigned char *p = map_anon(100, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, madvise(p, 50 * PAGE_BYTES, MADV_POPULATE_READ));
	EXPECT_EQ(50, count_entries(self->src.fd, p, 100, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, p, 100));
}

/* An anonymous huge page, then split by mprotect() of a part. */
TEST_F(equality, anonymous_huge_page)
{
	size_t pages = 2 * PMD_PAGES;
	unsigned char *p = region_find_aligned(pages * PAGE_BYTES);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(p, mmap(p, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, madvise(p, pages * PAGE_BYTES, MADV_HUGEPAGE));
	memset(p, 1, PMD_BYTES);
	EXPECT_LT(0, read_value("/proc/self/smaps_rollup", "AnonHugePages"));
	EXPECT_EQ((long)PMD_PAGES, count_entries(self->src.fd, p, pages, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, p, pages));
	EXPECT_EQ(0, compare_range(&self->src, p + 77 * PAGE_BYTES, 5));
	ASSERT_EQ(0, mprotect(p + 100 * PAGE_BYTES, 10 * PAGE_BYTES, PROT_READ));
	EXPECT_EQ(0, compare_range(&self->src, p, pages));
	munmap(p, pages * PAGE_BYTES);
}

TEST_F(equality, huge_zero_page)
{
	unsigned char *p = region_find_aligned(PMD_BYTES);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(p, mmap(p, PMD_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, madvise(p, PMD_BYTES, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(p, PAGE_BYTES, MADV_POPULATE_READ));
	EXPECT_LT(0, count_entries(self->src.fd, p, PMD_PAGES, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, p, PMD_PAGES));
	munmap(p, PMD_BYTES);
}

TEST_F(equality, ksm_pages)
{
	unsigned char *p = map_anon(64, PROT_READ | PROT_WRITE);
	int tries;

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0x5a, 64 * PAGE_BYTES);
	ASSERT_EQ(0, madvise(p, 64 * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, write_text(KSM_DIR "/run", "1"));
	for (tries = 0; tries < 500; tries++) {
		if (read_value("/proc/self/ksm_stat", "ksm_merging_pages") >= 64)
			break;
		usleep(20000);
	}
	EXPECT_EQ(64, read_value("/proc/self/ksm_stat", "ksm_merging_pages"));
	EXPECT_EQ(64, count_entries(self->src.fd, p, 64, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, p, 64));
	EXPECT_EQ(0, write_text(KSM_DIR "/run", "2"));
	munmap(p, 64 * PAGE_BYTES);
}

TEST_F(equality, pages_of_a_file_on_disk)
{
	struct source *src = &self->src;
	unsigned char *p;
	int fd;

	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	p = mmap(NULL, 8 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, madvise(p, 4 * PAGE_BYTES, MADV_POPULATE_READ));
	p[PAGE_BYTES] = 1;
	EXPECT_LE(4, count_entries(src->fd, p, 8, PM_PRESENT));
	EXPECT_EQ(0, compare_range(src, p, 8));
	munmap(p, 8 * PAGE_BYTES);
	close(fd);
}

TEST_F(equality, inaccessible_and_locked_memory)
{
	unsigned char *none = map_anon(1000, PROT_NONE);
	unsigned char *locked = map_anon(50, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, none);
	ASSERT_NE(MAP_FAILED, locked);
	ASSERT_EQ(0, mlock(locked, 50 * PAGE_BYTES));
	EXPECT_EQ(50, count_entries(self->src.fd, locked, 50, PM_PRESENT));
	EXPECT_EQ(0, compare_range(&self->src, none, 1000));
	EXPECT_EQ(0, compare_range(&self->src, locked, 50));
}

/* Bit 55 is cleared for all pages, and set again by writes. */
TEST_F(equality, soft_dirty_cleared_and_set)
{
	struct region r;
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&r, 100));
	region_fill(&r);
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "4"));
	EXPECT_EQ(0, count_entries(self->src.fd, r.addr, 100, PM_SOFT_DIRTY));
	for (i = 0; i < 100; i += 4)
		region_fill_page(&r, i);
	EXPECT_EQ(25, count_entries(self->src.fd, r.addr, 100, PM_SOFT_DIRTY));
	EXPECT_EQ(0, compare_range(&self->src, r.addr, 100));
	region_free(&r);
}

TEST_HARNESS_MAIN
