// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are in the page cache of a shmem file and not mapped here: PM_SCAN_SHMEM_CACHE
 * and PM_READ_SHMEM_CACHE, alone and with the look-up of swap, in mappings of all kinds.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	(3 * PMD_PAGES)
#define BOTH	(PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE)

FIXTURE(cached) {
	struct region region;
	struct mounted fs;
	int fd;
};

FIXTURE_VARIANT(cached) {
	int (*map)(struct region *r, struct mounted *fs);
};

static int map_memfd(struct region *r, struct mounted *fs)
{
	(void)fs;
	return region_map_memfd(r, PAGES);
}

static int map_shared_anon(struct region *r, struct mounted *fs)
{
	(void)fs;
	return region_map_shared_anon(r, PAGES);
}

static int map_tmpfs_with(struct region *r, struct mounted *fs, const char *options)
{
	void *at = region_find_aligned(PAGES * PAGE_BYTES);
	int fd;

	if (!at || mounted_tmpfs(fs, options))
		return -EIO;
	fd = mounted_file(fs, "file", PAGES);
	return fd < 0 ? fd : region_map(r, at, PAGES, MAP_SHARED | MAP_FIXED, fd, 0);
}

static int map_tmpfs(struct region *r, struct mounted *fs)
{
	return map_tmpfs_with(r, fs, "");
}

static int map_huge_tmpfs(struct region *r, struct mounted *fs)
{
	return map_tmpfs_with(r, fs, "huge=always");
}

/* Shared memory without a descriptor: opened by /proc/self/map_files. */
static int open_mapped(struct region *r)
{
	*r = (struct region){ .addr = r->addr, .pages = PAGES, .id = pattern_new_id() };
	r->fd = region_open_file(r->addr, PAGES * PAGE_BYTES);
	return r->fd < 0 ? r->fd : 0;
}

static int map_dev_zero(struct region *r, struct mounted *fs)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);

	(void)fs;
	r->addr = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	close(zero);
	return r->addr == MAP_FAILED ? -errno : open_mapped(r);
}

static int map_sysv(struct region *r, struct mounted *fs)
{
	int shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);

	(void)fs;
	if (shm < 0)
		return -errno;
	r->addr = shmat(shm, NULL, 0);
	shmctl(shm, IPC_RMID, NULL);
	return r->addr == (void *)-1 ? -errno : open_mapped(r);
}

FIXTURE_VARIANT_ADD(cached, memfd) { .map = map_memfd };
FIXTURE_VARIANT_ADD(cached, shared_anon) { .map = map_shared_anon };
FIXTURE_VARIANT_ADD(cached, tmpfs) { .map = map_tmpfs };
FIXTURE_VARIANT_ADD(cached, huge_tmpfs) { .map = map_huge_tmpfs };
FIXTURE_VARIANT_ADD(cached, dev_zero) { .map = map_dev_zero };
FIXTURE_VARIANT_ADD(cached, sysv) { .map = map_sysv };

static int fill_by_another(struct child *c, void *arg)
{
	struct region *r = arg;
	size_t i;

	(void)c;
	for (i = 0; i < r->pages; i++)
		if (i % 8 < 6)
			region_fill_page(r, i);
	return 0;
}

/* A read fault. */
static void touch_page(const struct region *r, size_t i)
{
	asm volatile("" : : "r"(*region_page(r, i)) : "memory");
}

/*
 * Another process writes six of each eight pages. Two of these are swapped out, two are
 * mapped here as well, and two are in the page cache alone.
 */
FIXTURE_SETUP(cached)
{
	struct child c;
	size_t i;

	self->fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, variant->map(&self->region, &self->fs));
	ASSERT_EQ(0, child_start(&c, fill_by_another, &self->region));
	ASSERT_EQ(0, child_wait(&c));
	for (i = 0; i < PAGES; i += 8) {
		touch_page(&self->region, i);
		touch_page(&self->region, i + 1);
		ASSERT_EQ(0, region_pageout_pages(&self->region, i, 2));
		ASSERT_EQ(0, madvise(region_page(&self->region, i + 2), 6 * PAGE_BYTES,
				     MADV_DONTNEED));
		touch_page(&self->region, i + 4);
		touch_page(&self->region, i + 5);
	}
	ASSERT_LT(0, region_count(&self->region, PAGE_SWAPPED));
	ASSERT_LT(0, region_count(&self->region, PAGE_RESIDENT));
}

FIXTURE_TEARDOWN(cached)
{
	region_free(&self->region);
	EXPECT_EQ(0, mounted_remove(&self->fs));
	close(self->fd);
}

static struct expected expect_right(struct __test_metadata *_metadata, int fd,
				    const struct region *view)
{
	struct expected e;

	EXPECT_EQ(0, expected_compare(fd, view, &e));
	EXPECT_EQ(0, e.wrong) TH_LOG("%s", e.first);
	ksft_print_msg("%zu pages, %zu told in swap, %zu in the page cache\n", e.pages,
		       e.swapped, e.cached);
	return e;
}

TEST_F(cached, mapping_touched_in_part)
{
	struct expected e = expect_right(_metadata, self->fd, &self->region);

	EXPECT_LT(0, e.swapped);
}

TEST_F(cached, mapping_never_touched)
{
	struct expected e;
	struct region view;

	ASSERT_EQ(0, region_map_view(&view, &self->region, 1, PAGES - 3, MAP_SHARED));
	e = expect_right(_metadata, self->fd, &view);
	EXPECT_EQ(region_count(&view, PAGE_SWAPPED), (long)e.swapped);
	EXPECT_EQ(region_count(&view, PAGE_RESIDENT), (long)e.cached);
	region_unmap(&view);
}

/* A copy is told by the page table, wherever it is; the other pages by the file. */
TEST_F(cached, private_mapping)
{
	void *at = region_find_aligned(PAGES * PAGE_BYTES);
	struct region view;
	struct expected e;
	size_t i;

	/* Aligned: 2 MiB folios can be mapped by PMDs */
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, region_map(&view, at, PAGES, MAP_PRIVATE | MAP_FIXED, self->region.fd, 0));
	e = expect_right(_metadata, self->fd, &view);
	EXPECT_LT(0, e.cached);
	touch_page(&view, 2 * PMD_PAGES + 4);
	expect_right(_metadata, self->fd, &view);
	for (i = 3; i < PMD_PAGES; i += 5)
		*region_page(&view, i) = i;
	expect_right(_metadata, self->fd, &view);
	madvise(view.addr, PMD_BYTES / 2, MADV_PAGEOUT);
	e = expect_right(_metadata, self->fd, &view);
	EXPECT_LT(0, e.cached + e.swapped);
	region_unmap(&view);
}

TEST_F(cached, punched_holes)
{
	struct expected e;
	size_t i;

	for (i = 0; i < PAGES; i += 16)
		ASSERT_EQ(0, fallocate(self->region.fd,
				       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       i * PAGE_BYTES, 4 * PAGE_BYTES));
	e = expect_right(_metadata, self->fd, &self->region);
	EXPECT_LE((long)PAGES / 16 * 4, region_count(&self->region, PAGE_ABSENT));
	EXPECT_LT(0, e.swapped);
}

/* In the page cache by swap-in through the file, in the page table by nobody here. */
TEST_F(cached, read_back_by_the_file)
{
	unsigned char page[PAGE_BYTES];
	size_t before, i;

	before = expect_right(_metadata, self->fd, &self->region).cached;
	for (i = 0; i < PAGES; i += 8)
		ASSERT_EQ((ssize_t)sizeof(page),
			  pread(self->region.fd, page, sizeof(page), i * PAGE_BYTES));
	EXPECT_LT(before, expect_right(_metadata, self->fd, &self->region).cached);
}

static int watch(const struct region *r, __u64 features, __u64 mode)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features | UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    UFFD_FEATURE_WP_UNPOPULATED,
	};
	struct uffdio_register reg = {
		.range = { (unsigned long)r->addr, r->pages * PAGE_BYTES },
		.mode = mode,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

/* A marker is no data: what is behind it counts. SysV's own mapping takes no userfaultfd. */
TEST_F(cached, markers_of_write_protection)
{
	struct uffdio_writeprotect wp = {
		.range = { .len = PAGES * PAGE_BYTES },
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	struct region view;
	int uffd;

	ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_SHARED));
	uffd = watch(&view, 0, UFFDIO_REGISTER_MODE_WP);
	ASSERT_LE(0, uffd);
	wp.range.start = (unsigned long)view.addr;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	expect_right(_metadata, self->fd, &view);
	close(uffd);
	region_unmap(&view);
}

/* Pages in the page cache that were not write-protected, over several calls, once each. */
TEST_F(cached, write_protects_what_it_finds)
{
	struct page_region regions[7];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = BOTH | PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
		.vec = (unsigned long)regions,
		.vec_len = ARRAY_SIZE(regions),
		.category_mask = PAGE_IS_CACHED | PAGE_IS_WRITTEN,
		.return_mask = PAGE_IS_CACHED,
	};
	struct region view;
	int uffd, again;
	long i, got, pages;

	ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_SHARED));
	uffd = watch(&view, UFFD_FEATURE_WP_ASYNC, UFFDIO_REGISTER_MODE_WP);
	ASSERT_LE(0, uffd);
	for (again = 0; again < 2; again++) {
		pages = 0;
		arg.start = (unsigned long)view.addr;
		arg.end = arg.start + PAGES * PAGE_BYTES;
		for (; arg.start < arg.end; arg.start = arg.walk_end) {
			got = ioctl(self->fd, PAGEMAP_SCAN, &arg);
			ASSERT_LE(0, got);
			for (i = 0; i < got; i++)
				pages += (regions[i].end - regions[i].start) / PAGE_BYTES;
		}
		EXPECT_EQ(again ? 0 : region_count(&view, PAGE_RESIDENT), pages);
	}
	expect_right(_metadata, self->fd, &view);
	close(uffd);
	region_unmap(&view);
}

TEST_F(cached, markers_of_poison)
{
	struct uffdio_poison poison = { .range = { .len = 2 * PAGE_BYTES } };
	struct region view;
	size_t i, poisoned = 0;
	__u16 categories[PAGES];
	int uffd;

	ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_SHARED));
	uffd = watch(&view, UFFD_FEATURE_POISON, UFFDIO_REGISTER_MODE_MISSING);
	ASSERT_LE(0, uffd);
	for (i = 0; i < PMD_PAGES; i += 2) {
		poison.range.start = (unsigned long)region_page(&view, i);
		ASSERT_EQ(0, ioctl(uffd, UFFDIO_POISON, &poison)) TH_LOG("page %zu", i);
	}
	expect_right(_metadata, self->fd, &view);
	ASSERT_EQ(PAGES, pagemap_scan_pages(self->fd, view.addr, categories, PAGES, BOTH));
	for (i = 0; i < PMD_PAGES; i++)
		poisoned += !categories[i];
	EXPECT_EQ(PMD_PAGES, poisoned);
	close(uffd);
	region_unmap(&view);
}

TEST_HARNESS_MAIN
