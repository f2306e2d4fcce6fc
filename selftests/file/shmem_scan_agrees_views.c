// SPDX-License-Identifier: GPL-2.0
/*
 * As shmem_scan_agrees, of a memfd: several mappings, private ones, userfaultfd, the file's
 * end, poison, two swap devices, zswap, and files that are no shared memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/agreement.h"
#include "lib/pagemap/shmemscan.h"

#define PAGES	1100
#define SLOTS	2048
#define ZSWAP	"/sys/module/zswap/parameters/enabled"

FIXTURE(shmem_scan_agrees_views) {
	struct region region;
	struct cgroup cg;
	struct source src;
	struct dm_swap device;
	struct setting cluster, zswap;
};

FIXTURE_SETUP(shmem_scan_agrees_views)
{
	TEARDOWN_FROM_HERE();
	/* No read-ahead: only touched pages are read. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN_PARENT(shmem_scan_agrees_views)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, dm_swap_remove(&self->device));
	EXPECT_EQ(0, setting_restore(&self->zswap));
	EXPECT_EQ(0, setting_restore(&self->cluster));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

static void agree(struct __test_metadata *_metadata, const struct source *src,
		  const struct region *r, size_t cached, size_t swapped, size_t located)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "views");
	EXPECT_EQ(cached, a.cached);
	EXPECT_EQ(swapped, a.swapped);
	EXPECT_EQ(located, a.located);
}

static void agree_and_read(struct __test_metadata *_metadata, const struct source *src,
			   const struct region *r, size_t data)
{
	struct agreement a;

	ASSERT_EQ(0, agreement_check_bytes(src, r, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "reading");
	EXPECT_EQ(data, a.data);
}

/* Copies of every third page hide the file's page in the private mapping alone. */
TEST_F(shmem_scan_agrees_views, private_mapping)
{
	struct region view;
	size_t i;

	region_fill(&self->region);
	ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_PRIVATE));
	for (i = 0; i < PAGES; i += 3)
		region_fill_page(&view, i);
	agree(_metadata, &self->src, &view, PAGES, 0, 0);
	ASSERT_EQ(0, region_pageout(&self->region));
	agree(_metadata, &self->src, &view, 0, PAGES, PAGES - (PAGES + 2) / 3);
	ASSERT_EQ(0, region_pageout(&view));
	agree(_metadata, &self->src, &view, 0, PAGES, PAGES - (PAGES + 2) / 3);
	agree(_metadata, &self->src, &self->region, 0, PAGES, PAGES);
	region_unmap(&view);
	agree_and_read(_metadata, &self->src, &self->region, PAGES);
}

static int do_nothing(struct child *c, void *arg)
{
	(void)arg;
	return !child_hear(c);
}

/* A fresh mapping, and that of a child that touched nothing, have no page tables. */
TEST_F(shmem_scan_agrees_views, fresh_mapping_and_forked_child)
{
	struct region half = region_part(&self->region, 0, PAGES / 2), view;
	struct source src;
	struct child c;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&half));
	ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_SHARED));
	agree(_metadata, &self->src, &view, PAGES / 2, PAGES / 2, PAGES / 2);
	region_unmap(&view);
	ASSERT_EQ(0, child_start(&c, do_nothing, NULL));
	ASSERT_EQ(0, source_open(&src, c.pid));
	agree(_metadata, &src, &self->region, PAGES / 2, PAGES / 2, PAGES / 2);
	EXPECT_EQ(0, source_close(&src));
	child_kill(&c);
}

TEST_F(shmem_scan_agrees_views, write_protected_by_userfaultfd)
{
	const __u64 range[] = { (unsigned long)self->region.addr, PAGES / 2 * PAGE_BYTES };
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_WP_UNPOPULATED,
	};
	struct uffdio_register reg = {
		.range = { range[0], range[1] }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { range[0], range[1] }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	size_t i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_WRITEPROTECT, &wp));
	agree(_metadata, &self->src, &self->region, PAGES / 2, 0, 0);
	ASSERT_EQ(0, region_pageout(&self->region));
	agree(_metadata, &self->src, &self->region, 0, PAGES / 2, PAGES / 2);
	agree_and_read(_metadata, &self->src, &self->region, PAGES / 2);
	close(fd);
}

/* Pages beyond the end of the file are allocated, and swapped; then it grows over them. */
TEST_F(shmem_scan_agrees_views, truncated_and_allocated_beyond_the_end)
{
	const size_t size = 100;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, ftruncate(self->region.fd, size * PAGE_BYTES));
	agree(_metadata, &self->src, &self->region, 0, size, size);
	ASSERT_EQ(0, fallocate(self->region.fd, FALLOC_FL_KEEP_SIZE, size * PAGE_BYTES,
			       (PAGES - size) * PAGE_BYTES));
	agree(_metadata, &self->src, &self->region, PAGES - size, size, size);
	ASSERT_EQ(0, region_reclaim(&self->region, &self->cg));
	agree(_metadata, &self->src, &self->region, 0, PAGES, PAGES);
	ASSERT_EQ(0, ftruncate(self->region.fd, PAGES * PAGE_BYTES));
	agree_and_read(_metadata, &self->src, &self->region, size);
}

/* Pages on two devices; a failed read poisons those of the second. */
TEST_F(shmem_scan_agrees_views, two_devices_and_poison)
{
	struct agreement a;
	size_t i, lost = 0;
	char byte;

	ASSERT_EQ(0, dm_swap_create(&self->device, SLOTS));
	ASSERT_EQ(0, swapdev_on(self->device.path, SLOTS));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	agree(_metadata, &self->src, &self->region, 0, PAGES, PAGES);
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, true));
	for (i = 0; i < PAGES; i += 5)
		lost += pread(self->region.fd, &byte, 1, i * PAGE_BYTES) < 0;
	EXPECT_LT(0, lost);
	ASSERT_EQ(0, agreement_check(&self->src, &self->region, &a));
	EXPECT_EQ(0, a.wrong) agreement_print(&a, "poisoned");
	EXPECT_EQ(PAGES - lost, a.cached + a.swapped);
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, false));
	agree_and_read(_metadata, &self->src, &self->region, PAGES - lost);
}

TEST_F(shmem_scan_agrees_views, held_by_zswap)
{
	ASSERT_EQ(0, setting_change(&self->zswap, ZSWAP, "Y"));
	region_fill(&self->region);
	memset(region_page(&self->region, 50), 0, 10 * PAGE_BYTES);
	ASSERT_EQ(0, region_pageout(&self->region));
	agree(_metadata, &self->src, &self->region, 0, PAGES, PAGES);
	agree_and_read(_metadata, &self->src, &self->region, PAGES - 10);
}

/* Both refuse hugetlb memory and files of other file systems. */
TEST_F(shmem_scan_agrees_views, files_that_are_no_shared_memory)
{
	int fd[] = {
		memfd_create("xpagemap-huge", MFD_CLOEXEC | MFD_HUGETLB),
		open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
		open("/dev/null", O_RDWR | O_CLOEXEC),
	};
	struct shmemscan_page page;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(-EOPNOTSUPP, attach_fd(fd[i]));
		EXPECT_EQ(-ENOTTY, shmemscan_pages(fd[i], 0, 1, 1, &page));
		close(fd[i]);
	}
}

TEST_HARNESS_MAIN
