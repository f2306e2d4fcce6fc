// SPDX-License-Identifier: GPL-2.0
/*
 * The programs of examples/, in C and in Rust, print the pages of a file that a checkpoint
 * must save. SHMEM_SCAN prints exactly those with data. The others print the same where the
 * pages are written with data and mincore() meets no swap, and where they differ, the tests
 * say in what.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/mman.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		1100
#define TEXT_BYTES	65536
#define UNSUPPORTED	3	/* exit status of an example */

static const char * const directories[] = { "examples", "examples/target/release" };

FIXTURE(examples) {
	struct region region;
	struct cgroup cg;
	struct setting cluster;
	char wanted[TEXT_BYTES], text[TEXT_BYTES];
};

FIXTURE_SETUP(examples)
{
	/* Read-ahead for a fault of another page would fill the swap cache. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
}

FIXTURE_TEARDOWN(examples)
{
	region_free(&self->region);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/*
 * Runs an example on the region's file. The examples are built beside the tests. Returns
 * its exit status, or a negative errno.
 */
static int run(const char *directory, const char *name, const struct region *r, char *text)
{
	char self[256], path[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1), got = 0;
	FILE *output;
	int status;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	snprintf(path, sizeof(path), "%s/../%s/%s /proc/%d/fd/%d 2>&1", dirname(self), directory,
		 name, getpid(), r->fd);
	output = popen(path, "r");
	if (!output)
		return -errno;
	len = 0;
	while ((got = fread(text + len, 1, TEXT_BYTES - 1 - len, output)) > 0)
		len += got;
	text[len] = '\0';
	status = pclose(output);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EPROTO;
}

/* Prints the runs of pages in which @is_in, in the examples' form. */
static void print_runs(bool (*is_in)(size_t page), char *text)
{
	size_t from, to, total = 0;
	int len = 0;

	for (from = 0; from < PAGES; from = to + 1) {
		for (to = from; to < PAGES && is_in(to); to++)
			total++;
		if (to > from)
			len += snprintf(text + len, TEXT_BYTES - len, "%lx-%lx\n",
					from * PAGE_BYTES, to * PAGE_BYTES);
	}
	snprintf(text + len, TEXT_BYTES - len, "total %zu pages\n", total);
}

/* Expects that both programs of that name print the pages in which @is_in. */
static void expect_runs(struct __test_metadata *_metadata, FIXTURE_DATA(examples) * self,
			const char *name, bool (*is_in)(size_t page))
{
	size_t i;
	int status;

	print_runs(is_in, self->wanted);
	for (i = 0; i < ARRAY_SIZE(directories); i++) {
		status = run(directories[i], name, &self->region, self->text);
		if (status == UNSUPPORTED) {
			ksft_print_msg("%s/%s: %s", directories[i], name, self->text);
			EXPECT_NE(NULL, strstr(name, "pagemap_scan"));
			continue;
		}
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, strcmp(self->wanted, self->text))
			TH_LOG("%s/%s prints %.200s, not %.200s", directories[i], name,
			       self->text, self->wanted);
	}
}

static void expect_all(struct __test_metadata *_metadata, FIXTURE_DATA(examples) * self,
		       bool (*is_in)(size_t page))
{
	expect_runs(_metadata, self, "save_shmem_scan", is_in);
	expect_runs(_metadata, self, "save_pagemap_scan", is_in);
	expect_runs(_metadata, self, "save_lseek", is_in);
}

/*
 * Frees the swap cache, in which mincore() finds pages. memory.stat, which tells the size
 * of it, leaves out some pages for up to two seconds: so mincore() itself is asked.
 */
static int drop_swap_cache(FIXTURE_DATA(examples) * self)
{
	unsigned char in[PAGES];
	int err, tries;

	for (tries = 0; tries < 100; tries++) {
		err = cgroup_drop_swap_cache(&self->cg);
		if (err)
			return err;
		if (mincore(self->region.addr, PAGES * PAGE_BYTES, in))
			return -errno;
		if (!memchr(in, 1, PAGES))
			return 0;
		usleep(20000);
	}
	return -EBUSY;
}

static bool none(size_t page)
{
	return page >= PAGES;
}

static bool all(size_t page)
{
	return page < PAGES;
}

static bool every_second(size_t page)
{
	return page % 2 == 0;
}

static bool second_half(size_t page)
{
	return page >= PAGES / 2;
}

static bool every_second_of_first_half(size_t page)
{
	return every_second(page) && !second_half(page);
}

static bool every_second_of_second_half(size_t page)
{
	return every_second(page) && second_half(page);
}

static void fill(struct region *r, bool (*is_in)(size_t page))
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (is_in(i))
			region_fill_page(r, i);
}

TEST_F(examples, file_without_data)
{
	expect_all(_metadata, self, none);
	expect_runs(_metadata, self, "save_mincore", none);
}

TEST_F(examples, all_in_memory)
{
	fill(&self->region, every_second);
	expect_all(_metadata, self, every_second);
	expect_runs(_metadata, self, "save_mincore", every_second);
	fill(&self->region, all);
	expect_all(_metadata, self, all);
	expect_runs(_metadata, self, "save_mincore", all);
}

/* mincore() leaves out the pages in swap, which have data. */
TEST_F(examples, half_in_swap)
{
	fill(&self->region, every_second_of_first_half);
	ASSERT_EQ(0, region_pageout(&self->region));
	/* Before the second half is written: pages in memory are reclaimed, too. */
	ASSERT_EQ(0, drop_swap_cache(self));
	fill(&self->region, every_second_of_second_half);
	ASSERT_EQ(PAGES / 4, region_count(&self->region, PAGE_SWAPPED));
	expect_all(_metadata, self, every_second);
	expect_runs(_metadata, self, "save_mincore", every_second_of_second_half);
	/* None of them has read a page back. */
	EXPECT_EQ(PAGES / 4, region_count(&self->region, PAGE_SWAPPED));
}

TEST_F(examples, all_in_swap)
{
	fill(&self->region, all);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, drop_swap_cache(self));
	expect_all(_metadata, self, all);
	expect_runs(_metadata, self, "save_mincore", none);
	EXPECT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
}

TEST_F(examples, hole_punched_in_swap)
{
	fill(&self->region, all);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, fallocate(self->region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       PAGES / 2 * PAGE_BYTES));
	expect_all(_metadata, self, second_half);
}

/* Pages that are written with zeroes and swapped are data to all but SHMEM_SCAN. */
TEST_F(examples, zeroes_in_swap)
{
	memset(self->region.addr, 0, PAGES / 2 * PAGE_BYTES);
	fill(&self->region, second_half);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, drop_swap_cache(self));
	expect_runs(_metadata, self, "save_shmem_scan", second_half);
	expect_runs(_metadata, self, "save_pagemap_scan", all);
	expect_runs(_metadata, self, "save_lseek", all);
}

/* Allocated, and never written: a hole to lseek(), in memory to mincore(). */
TEST_F(examples, allocated_only)
{
	ASSERT_EQ(0, fallocate(self->region.fd, 0, 0, PAGES / 2 * PAGE_BYTES));
	fill(&self->region, second_half);
	expect_runs(_metadata, self, "save_shmem_scan", second_half);
	expect_runs(_metadata, self, "save_pagemap_scan", all);
	expect_runs(_metadata, self, "save_lseek", second_half);
}

TEST_HARNESS_MAIN
