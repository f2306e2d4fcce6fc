// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap read`: the bytes of swapped pages, compared with the memory afterwards. None is
 * swapped in, and pages whose bytes the device does not have are left out.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		300
#define ZERO		5	/* all zero */
#define RESIDENT	7	/* read back */
#define CACHED		9	/* in the swap cache: the child has read it */
#define FREED		20	/* while the device is read */

FIXTURE(cli_swap_read) {
	struct setting cluster;
	struct cgroup cg;
	struct region own, file;
	struct child child;
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
	ASSERT_EQ(0, region_map_filled(&self->own, PAGES));
	memset(region_page(&self->own, ZERO), 0, PAGE_BYTES);
	ASSERT_EQ(0, region_map_memfd(&self->file, PAGES));
	region_fill(&self->file);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&self->own));
	ASSERT_EQ(0, region_pageout(&self->file));
	/* Pages stay in the swap cache until they are reclaimed again. */
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_swap_read)
{
	dm_hold(false);
	EXPECT_EQ(0, swapdev_remove_all());
	EXPECT_EQ(0, dm_remove());
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

static int read_when_told(struct child *c, void *page)
{
	while (child_hear(c)) {
		asm volatile("" : : "r"(*(unsigned char *)page) : "memory");
		child_tell(c);
	}
	return 0;
}

TEST_F(cli_swap_read, bytes_are_those_of_the_memory)
{
	char source[128];
	int fd;

	ASSERT_EQ(0, child_start(&self->child, read_when_told, region_page(&self->own, CACHED)));
	ASSERT_EQ(0, madvise(region_page(&self->own, RESIDENT), PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_TRUE(child_ask(&self->child));
	ASSERT_TRUE(entries_of(&self->own, self->before));
	snprintf(source, sizeof(source), "%d %lx-%lx", getpid(), (unsigned long)self->own.addr,
		 (unsigned long)region_page(&self->own, PAGES));
	READ(&self->own, source);
	/* The page that the child has read is left out, the one that is mapped is not in swap. */
	EXPECT_EQ(1, self->out.status) TH_LOG("%s", self->out.text);
	EXPECT_EQ(PAGES - 1, cli_number(&self->out, NULL, "swapped"));
	EXPECT_EQ(PAGES - 3, cli_number(&self->out, NULL, "read"));
	EXPECT_EQ(1, cli_number(&self->out, NULL, "zero"));
	EXPECT_TRUE(cli_says(&self->out, "[{\"start\":\"%lx\",\"end\":\"%lx\",\"pages\":1,",
			     (unsigned long)region_page(&self->own, CACHED),
			     (unsigned long)region_page(&self->own, CACHED + 1)));
	EXPECT_TRUE(cli_says(&self->out, "\"why\":\"in the swap cache"));
	child_kill(&self->child);

	fd = open(self->output, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ((off_t)(PAGES * PAGE_BYTES), lseek(fd, 0, SEEK_END));
	EXPECT_FALSE(has_page(fd, RESIDENT));
	EXPECT_FALSE(has_page(fd, CACHED));
	EXPECT_TRUE(has_page(fd, ZERO));
	EXPECT_TRUE(has_page(fd, 0) && has_page(fd, PAGES - 1));
	EXPECT_EQ(0, wrong_pages(fd, &self->own));
	close(fd);
}

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

/* The state of a process by /proc, or 0. */
static char state_of(pid_t pid)
{
	char path[64], text[1024], state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_text(path, text, sizeof(text)) < 0 ||
	    sscanf(text, "%*d (%*[^)]) %c", &state) != 1)
		return 0;
	return state;
}

/* The device does not answer, pages are freed, it answers: their bytes do not count. */
TEST_F(cli_swap_read, pages_that_go_meanwhile_are_left_out)
{
	char loop[SWAPDEV_PATH], path[SWAPDEV_PATH], log[128], text[8192];
	int fd, status, tries, waiting = 0;
	struct region r;
	pid_t pid;

	fd = swapdev_loop(4 * PAGES, loop);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dm_create(loop, 4 * PAGES, path, sizeof(path)));
	close(fd);
	ASSERT_EQ(0, swapdev_on(path, 4 * PAGES));
	/* The first pages may go to the disk. */
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_filled(&r, 4 * PAGES));
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, dm_hold(true));
	snprintf(log, sizeof(log), "%s.log", self->output);
	pid = cli_start(log, "swap read %d %lx-%lx -o %s", getpid(), (unsigned long)r.addr,
			(unsigned long)region_page(&r, r.pages), self->output);
	ASSERT_LT(0, pid);
	/* In the read: uninterruptible, again and again. */
	for (tries = 0; tries < 6000 && waiting < 20; tries++) {
		waiting = state_of(pid) == 'D' ? waiting + 1 : 0;
		usleep(10000);
	}
	EXPECT_EQ(20, waiting);
	EXPECT_EQ(0, madvise(region_page(&r, r.pages - FREED), FREED * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, dm_hold(false));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, WEXITSTATUS(status));
	ASSERT_LT(0, read_text(log, text, sizeof(text)));
	unlink(log);
	snprintf(log, sizeof(log), "%lx-%lx  %d left out: left swap meanwhile",
		 (unsigned long)region_page(&r, r.pages - FREED),
		 (unsigned long)region_page(&r, r.pages), FREED);
	EXPECT_NE(NULL, strstr(text, log)) TH_LOG("%s", text);
	r.pages -= FREED;
	fd = open(self->output, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(has_page(fd, r.pages - 1));
	EXPECT_FALSE(has_page(fd, r.pages));
	EXPECT_EQ(0, wrong_pages(fd, &r));
	close(fd);
	region_free(&r);
}

TEST_HARNESS_MAIN
