// SPDX-License-Identifier: GPL-2.0
/* Files of a mounted tmpfs, and other shmem files: System V, /dev/zero. */
#include <fcntl.h>
#include <sys/shm.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 200

FIXTURE(tmpfs) {
	struct mounted mounted;
	struct source src;
};

FIXTURE_VARIANT(tmpfs) {
	const char *options;
	bool swaps;
};

FIXTURE_VARIANT_ADD(tmpfs, plain) {
	.options = "size=64m",
	.swaps = true,
};

FIXTURE_VARIANT_ADD(tmpfs, noswap) {
	.options = "size=64m,noswap",
	.swaps = false,
};

FIXTURE_SETUP(tmpfs)
{
	ASSERT_EQ(0, mounted_tmpfs(&self->mounted, variant->options));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(tmpfs)
{
	EXPECT_EQ(0, source_close(&self->src));
	EXPECT_EQ(0, mounted_remove(&self->mounted));
}

/* stock[plain]: nothing */
TEST_F(tmpfs, mapped_from_an_odd_page_on)
{
	struct region r;
	struct survey s;
	int fd;

	fd = mounted_file(&self->mounted, "file", PAGES + 7);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, fd, 7));
	region_fill(&r);
	ASSERT_EQ(variant->swaps ? 0 : PAGES, region_pageout(&r));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	survey_print(&s, "tmpfs");
	EXPECT_EQ(variant->swaps ? PAGES : 0, s.located);
	EXPECT_EQ(s.due, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
}

/* A VMA that starts at an odd page, split into five by mprotect(). */
TEST_F(tmpfs, vma_split_by_mprotect)
{
	struct region r;
	struct survey s;
	int fd;

	fd = mounted_file(&self->mounted, "file", PAGES + 7);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, fd, 7));
	region_fill(&r);
	region_pageout(&r);
	ASSERT_EQ(0, mprotect(region_page(&r, 33), 5 * PAGE_BYTES, PROT_READ));
	ASSERT_EQ(0, mprotect(region_page(&r, 90), PAGE_BYTES, PROT_NONE));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	EXPECT_EQ(variant->swaps ? PAGES : 0, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
}

/* Written with write(2): the process has no page table for it. */
TEST_F(tmpfs, written_and_swapped_before_it_was_mapped)
{
	unsigned char page[PATTERN_BYTES];
	struct cgroup cg;
	struct region r;
	struct survey s;
	size_t i;
	int fd;

	fd = mounted_file(&self->mounted, "file", PAGES);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, fd, 0));
	ASSERT_EQ(0, cgroup_create(&cg));
	EXPECT_EQ(0, cgroup_enter(&cg));
	for (i = 0; i < PAGES; i++) {
		pattern_fill(page, r.id, i);
		EXPECT_EQ((ssize_t)sizeof(page),
			  pwrite(fd, page, sizeof(page), i * PAGE_BYTES));
	}
	EXPECT_EQ(0, cgroup_leave());
	EXPECT_EQ(variant->swaps ? 0 : PAGES, region_reclaim(&r, &cg));
	EXPECT_EQ(0, survey_region(&self->src, &r, &s));
	EXPECT_EQ(variant->swaps ? PAGES : 0, s.located);
	EXPECT_EQ(variant->swaps ? 0 : PAGES, s.nothing);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
	EXPECT_EQ(0, cgroup_destroy(&cg));
}

FIXTURE(shared) {
	struct source src;
};

FIXTURE_SETUP(shared)
{
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(shared)
{
	EXPECT_EQ(0, source_close(&self->src));
}

/*
 * Attaches a System V shared memory segment. With @remove, removes it while attached,
 * so that only the mapping refers to it.
 */
static void sysv_segment(struct __test_metadata *_metadata, const struct source *src,
			 bool remove)
{
	struct region r = { .pages = PAGES, .id = pattern_new_id() };
	struct shmid_ds state;
	struct survey s;
	int shm;

	shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	ASSERT_LE(0, shm);
	r.addr = shmat(shm, NULL, 0);
	ASSERT_NE((void *)-1, (void *)r.addr);
	r.fd = region_open_file(r.addr, PAGES * PAGE_BYTES);
	EXPECT_LE(0, r.fd);
	if (remove)
		EXPECT_EQ(0, shmctl(shm, IPC_RMID, NULL));
	region_fill(&r);
	EXPECT_EQ(0, region_pageout(&r));
	EXPECT_EQ(0, survey_region(src, &r, &s));
	survey_print(&s, "SysV");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, region_damaged(&r));
	close(r.fd);
	if (!remove)
		EXPECT_EQ(0, shmctl(shm, IPC_RMID, NULL));
	EXPECT_EQ(0, shmdt(r.addr));
	EXPECT_EQ(-1, shmctl(shm, IPC_STAT, &state));
}

/* Its VMAs have vm_operations of ipc/shm.c. */
TEST_F(shared, sysv_segment)
{
	sysv_segment(_metadata, &self->src, false);
}

TEST_F(shared, sysv_segment_removed)
{
	sysv_segment(_metadata, &self->src, true);
}

TEST_F(shared, dev_zero_mapped_shared)
{
	struct region r;
	struct survey s;
	int zero;

	zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, zero);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, zero, 0));
	close(zero);
	r.fd = region_open_file(r.addr, PAGES * PAGE_BYTES);
	ASSERT_LE(0, r.fd);
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
}

/* stock: passes: /proc/PID/pagemap has private anonymous memory in swap */
TEST_F(shared, dev_zero_mapped_private)
{
	struct region r;
	struct survey s;
	int zero;

	zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, zero);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_PRIVATE, zero, 0));
	close(zero);
	r.fd = -1;
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	region_free(&r);
}

TEST_HARNESS_MAIN
