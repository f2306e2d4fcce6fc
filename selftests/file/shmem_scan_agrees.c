// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(SHMEM_SCAN), files/ID/filemap and swapmap, and PID/pagemap and swapmap tell the same of
 * each page, whatever the file and however its pages came to be as they are. At the end of each
 * test the pages are read: none in no category has data, and none that is told to be zero.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/shm.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/agreement.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

#define PAGES	1100	/* more than two page tables, and more than one batch of a scan */

FIXTURE(shmem_scan_agrees) {
	struct region region;
	struct mounted mounted;
	struct cgroup cg;
	struct source src;
};

FIXTURE_VARIANT(shmem_scan_agrees) {
	int (*map)(struct region *r, struct mounted *m);
};

static int map_memfd(struct region *r, struct mounted *m)
{
	(void)m;
	return region_map_memfd(r, PAGES);
}

static int map_shared_anon(struct region *r, struct mounted *m)
{
	(void)m;
	return region_map_shared_anon(r, PAGES);
}

static int map_sysv(struct region *r, struct mounted *m)
{
	int shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	void *at = shmat(shm, NULL, 0);

	(void)m;
	if (shm < 0 || at == (void *)-1 || shmctl(shm, IPC_RMID, NULL))
		return -errno;
	*r = (struct region){ .addr = at, .pages = PAGES, .id = pattern_new_id() };
	r->fd = region_open_file(at, PAGES * PAGE_BYTES);
	return r->fd < 0 ? r->fd : 0;
}

static int map_tmpfs(struct region *r, struct mounted *m)
{
	int err = mounted_tmpfs(m, "size=64m"), fd;

	if (err)
		return err;
	fd = mounted_file(m, "file", PAGES + 7);
	return fd < 0 ? fd : region_map(r, NULL, PAGES, MAP_SHARED, fd, 7);
}

FIXTURE_VARIANT_ADD(shmem_scan_agrees, memfd) {
	.map = map_memfd,
};

FIXTURE_VARIANT_ADD(shmem_scan_agrees, shared_anonymous) {
	.map = map_shared_anon,
};

FIXTURE_VARIANT_ADD(shmem_scan_agrees, sysv) {
	.map = map_sysv,
};

FIXTURE_VARIANT_ADD(shmem_scan_agrees, tmpfs_from_an_odd_page_on) {
	.map = map_tmpfs,
};

FIXTURE_SETUP(shmem_scan_agrees)
{
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, variant->map(&self->region, &self->mounted));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(shmem_scan_agrees)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
	EXPECT_EQ(0, mounted_remove(&self->mounted));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* Compares, and expects these numbers of pages. */
static struct agreement agree(struct __test_metadata *_metadata, const struct source *src,
			      const struct region *r, size_t cached, size_t swapped)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "shmem_scan_agrees");
	EXPECT_EQ(cached, a.cached);
	EXPECT_EQ(swapped, a.swapped);
	return a;
}

/* Compares once more, reads all pages, and expects data in that many. */
static void agree_and_read(struct __test_metadata *_metadata, const struct source *src,
			   const struct region *r, size_t data)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check_bytes(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "reading");
	EXPECT_EQ(data, a.data);
}

static int punch(const struct region *r, size_t from, size_t pages)
{
	return fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 (r->first + from) * PAGE_BYTES, pages * PAGE_BYTES);
}

TEST_F(shmem_scan_agrees, never_written)
{
	agree(_metadata, &self->src, &self->region, 0, 0);
	agree_and_read(_metadata, &self->src, &self->region, 0);
}

/* Runs of 1, 2, 3, ... pages: never written, in swap, in memory, in turn. */
TEST_F(shmem_scan_agrees, runs_of_all_states)
{
	size_t at = 0, run, pages, swapped = 0, cached = 0;

	for (run = 1; at < PAGES; at += run++) {
		pages = run < PAGES - at ? run : PAGES - at;
		if (run % 3 == 1) {
			struct region part = region_part(&self->region, at, pages);

			region_fill(&part);
			ASSERT_EQ(0, region_pageout(&part));
			swapped += pages;
		}
	}
	for (at = 0, run = 1; at < PAGES; at += run++) {
		pages = run < PAGES - at ? run : PAGES - at;
		if (run % 3 == 2) {
			struct region part = region_part(&self->region, at, pages);

			region_fill(&part);
			cached += pages;
		}
	}
	agree(_metadata, &self->src, &self->region, cached, swapped);
	agree_and_read(_metadata, &self->src, &self->region, cached + swapped);
}

TEST_F(shmem_scan_agrees, every_second_page_swapped)
{
	struct agreement a;
	size_t i;

	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	a = agree(_metadata, &self->src, &self->region, 0, PAGES / 2);
	EXPECT_EQ(PAGES / 2, a.located);
	agree_and_read(_metadata, &self->src, &self->region, PAGES / 2);
}

/* Read-ahead leaves pages in the swap cache, which keep their slots. */
TEST_F(shmem_scan_agrees, partly_read_back)
{
	struct agreement a;
	size_t i;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	for (i = 0; i < PAGES; i += 17)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, i), self->region.id,
					    self->region.first + i));
	ASSERT_EQ(0, agreement_check(&self->src, &self->region, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "read back");
	EXPECT_LE(PAGES / 17, a.cached);
	EXPECT_EQ(PAGES, a.cached + a.swapped);
	agree_and_read(_metadata, &self->src, &self->region, PAGES);
}

TEST_F(shmem_scan_agrees, holes_punched_in_swap_and_in_memory)
{
	struct region part = region_part(&self->region, 0, 600);

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&part));
	agree(_metadata, &self->src, &self->region, PAGES - 600, 600);
	ASSERT_EQ(0, punch(&self->region, 100, 50));
	ASSERT_EQ(0, punch(&self->region, 500, 200));
	ASSERT_EQ(0, punch(&self->region, 1000, 1));
	agree(_metadata, &self->src, &self->region, PAGES - 600 - 100 - 1, 600 - 50 - 100);
	agree_and_read(_metadata, &self->src, &self->region, PAGES - 251);
}

/* The pages are cleared, and have no swap slot's bytes: SHMEM_IS_ZERO. */
TEST_F(shmem_scan_agrees, filled_with_zeroes_and_swapped)
{
	struct agreement a;

	memset(self->region.addr, 0, PAGES * PAGE_BYTES);
	a = agree(_metadata, &self->src, &self->region, PAGES, 0);
	EXPECT_EQ(PAGES, a.dirty);
	ASSERT_EQ(0, region_pageout(&self->region));
	region_fill_page(&self->region, 5);
	ASSERT_EQ(0, region_pageout_pages(&self->region, 5, 1));
	a = agree(_metadata, &self->src, &self->region, 0, PAGES);
	EXPECT_EQ(PAGES - 1, a.zero);
	agree_and_read(_metadata, &self->src, &self->region, 1);
}

/* Read by pread(2), pages that nobody has written are cached and clean. */
TEST_F(shmem_scan_agrees, only_read)
{
	char byte;
	size_t i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(1, pread(self->region.fd, &byte, 1,
				   (self->region.first + i) * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, &self->region, 0);
	ASSERT_EQ(0, region_pageout(&self->region));
	agree(_metadata, &self->src, &self->region, 0, 0);
}

TEST_F(shmem_scan_agrees, fallocated_and_swapped)
{
	struct agreement a;

	ASSERT_EQ(0, fallocate(self->region.fd, 0, self->region.first * PAGE_BYTES,
			       PAGES * PAGE_BYTES));
	a = agree(_metadata, &self->src, &self->region, PAGES, 0);
	EXPECT_EQ(0, a.dirty);
	ASSERT_EQ(0, region_reclaim(&self->region, &self->cg));
	a = agree(_metadata, &self->src, &self->region, 0, PAGES);
	EXPECT_EQ(PAGES, a.zero);
	agree_and_read(_metadata, &self->src, &self->region, 0);
}

/* Page tables zapped, gone, guarded, locked: the file's state is the same. */
TEST_F(shmem_scan_agrees, mapping_changed_over_swapped_pages)
{
	struct region *r = &self->region;

	region_fill(r);
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, madvise(region_page(r, 10), 600 * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, mprotect(region_page(r, 33), 5 * PAGE_BYTES, PROT_READ));
	ASSERT_EQ(0, mprotect(region_page(r, 90), PAGE_BYTES, PROT_NONE));
	ASSERT_EQ(0, madvise(region_page(r, 700), 30 * PAGE_BYTES, MADV_GUARD_INSTALL));
	agree(_metadata, &self->src, r, 0, PAGES);
	ASSERT_EQ(0, madvise(region_page(r, 700), 30 * PAGE_BYTES, MADV_GUARD_REMOVE));
	ASSERT_EQ(0, mlock2(region_page(r, 800), 100 * PAGE_BYTES, MLOCK_ONFAULT));
	agree(_metadata, &self->src, r, 0, PAGES);
	ASSERT_EQ(0, mlock(region_page(r, 900), 10 * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, r, PAGES);
}

TEST_HARNESS_MAIN
