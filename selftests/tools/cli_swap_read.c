// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap read`: the bytes of swapped pages, compared with the memory afterwards. None is
 * swapped in.
 */
#include <fcntl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		300

FIXTURE(cli_swap_read) {
	struct setting cluster;
	struct cgroup cg;
	struct region file;
	struct cli out;
	char output[64];
	__u64 before[PAGES], after[PAGES];
};

FIXTURE_SETUP(cli_swap_read)
{
	TEARDOWN_FROM_HERE();
	/* No readahead: only touched pages are swapped in. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	snprintf(self->output, sizeof(self->output), "/run/xpagemap-read-%d", getpid());
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_memfd(&self->file, PAGES));
	region_fill(&self->file);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&self->file));
	/* Pages stay in the swap cache until they are reclaimed again. */
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_swap_read)
{
	unlink(self->output);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* Entries of all pages, by /proc. */
static bool entries_of(const struct region *r, __u64 *entries)
{
	int fd = proc_pagemap_open(getpid());
	bool all = fd >= 0 && pagemap_read(fd, r->addr, entries, r->pages) == (long)r->pages;

	close(fd);
	return all;
}

/* True if the output has a page's bytes; of pages left out it has a hole. */
static bool has_page(int fd, size_t i)
{
	return lseek(fd, i * PAGE_BYTES, SEEK_DATA) == (off_t)(i * PAGE_BYTES);
}

/* Number of pages of the output whose bytes are not those in memory, which swaps them in. */
static size_t wrong_pages(int fd, const struct region *r)
{
	unsigned char page[PAGE_BYTES];
	size_t i, wrong = 0;

	for (i = 0; i < r->pages; i++)
		if (has_page(fd, i))
			wrong += pread(fd, page, PAGE_BYTES, i * PAGE_BYTES) != PAGE_BYTES ||
				 memcmp(page, region_page(r, i), PAGE_BYTES);
	return wrong;
}

#define READ(r, source) ({ \
	ASSERT_EQ(0, cli_run(&self->out, "swap read --json %s -o %s", source, self->output)); \
	ASSERT_TRUE(entries_of(r, self->after)); \
	EXPECT_EQ(0, memcmp(self->before, self->after, sizeof(self->before))); \
})

TEST_F(cli_swap_read, pages_of_a_file)
{
	char source[64];
	size_t i;
	int fd;

	ASSERT_TRUE(entries_of(&self->file, self->before));
	snprintf(source, sizeof(source), "%d:%d 0-%lx", getpid(), self->file.fd,
		 PAGES * PAGE_BYTES);
	READ(&self->file, source);
	EXPECT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
	EXPECT_EQ(PAGES, cli_number(&self->out, NULL, "read"));
	EXPECT_EQ(PAGES, region_count(&self->file, PAGE_SWAPPED));
	fd = open(self->output, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	for (i = 0; i < PAGES; i++)
		EXPECT_TRUE(has_page(fd, i));
	EXPECT_EQ(0, wrong_pages(fd, &self->file));
	close(fd);
}

TEST_HARNESS_MAIN
