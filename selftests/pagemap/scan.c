// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(PAGEMAP_SCAN) with PM_SCAN_SHMEM_SWAP reports the right pages in the right
 * runs, in one call or several; without the flag, it is unchanged.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		1500	/* over three page tables */
#define SWAPPED		(PAGE_IS_SWAPPED | PAGE_IS_FILE)
#define RESIDENT	(PAGE_IS_PRESENT | PAGE_IS_FILE)
#define CATEGORIES	(PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_FILE)

FIXTURE(scan) {
	struct region region;		/* the file, mapped and written */
	struct region view;		/* the mapping to scan */
	unsigned char states[PAGES];
	int fd;
};

FIXTURE_VARIANT(scan) {
	bool hole;	/* the mapping was never touched: no page table */
	int flags;
};

FIXTURE_VARIANT_ADD(scan, page_tables) {
	.hole = false,
};

FIXTURE_VARIANT_ADD(scan, hole) {
	.hole = true,
	.flags = MAP_SHARED,
};

FIXTURE_VARIANT_ADD(scan, private_hole) {
	.hole = true,
	.flags = MAP_PRIVATE,
};

/* Runs of 1, 2, 3, ... pages: never written, in swap, in memory, in turn. */
static int state_wanted(size_t page)
{
	size_t run = 1, i = 0;

	while (i + run <= page)
		i += run++;
	return run % 3;
}

FIXTURE_SETUP(scan)
{
	size_t i;

	self->fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	for (i = 0; i < PAGES; i++)
		if (state_wanted(i))
			region_fill_page(&self->region, i);
	for (i = 0; i < PAGES; i++)
		if (state_wanted(i) == 1)
			ASSERT_EQ(0, region_pageout_pages(&self->region, i, 1));
	self->view = self->region;
	if (variant->hole)
		ASSERT_EQ(0, region_map_view(&self->view, &self->region, 0, PAGES,
					     variant->flags));
	ASSERT_EQ(0, region_states(&self->region, self->states));
	EXPECT_LT(300, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_LT(300, region_count(&self->region, PAGE_RESIDENT));
}

FIXTURE_TEARDOWN(scan)
{
	if (variant->hole)
		region_unmap(&self->view);
	region_free(&self->region);
	close(self->fd);
}

struct found {
	__u16 categories[PAGES];
	size_t pages, regions, calls;
};

/* Scans all of @r with as many calls as it takes. */
static int scan_all(int fd, const struct region *r, struct pm_scan_arg arg,
		    struct found *found)
{
	__u64 first = (unsigned long)r->addr / PAGE_BYTES, page;
	struct page_region regions[512];
	long got, i;
	__u64 pages;

	*found = (struct found){};
	arg.size = sizeof(arg);
	arg.start = (unsigned long)r->addr;
	arg.end = arg.start + r->pages * PAGE_BYTES;
	arg.vec = (unsigned long)regions;
	arg.return_mask = arg.return_mask ?: CATEGORIES;
	for (; arg.start < arg.end; arg.start = arg.walk_end) {
		got = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (got < 0)
			return -errno;
		pages = 0;
		for (i = 0; i < got; i++) {
			if (regions[i].start < arg.start || regions[i].end > arg.walk_end)
				return -ERANGE;
			if (i && regions[i].start == regions[i - 1].end &&
			    regions[i].categories == regions[i - 1].categories)
				return -EEXIST;
			for (page = regions[i].start / PAGE_BYTES;
			     page < regions[i].end / PAGE_BYTES; page++, pages++)
				found->categories[page - first] = regions[i].categories;
		}
		if ((arg.max_pages && pages > arg.max_pages) || got > (long)arg.vec_len)
			return -E2BIG;
		found->pages += pages;
		found->regions += got;
		found->calls++;
		if (arg.walk_end <= arg.start)
			return -EPROTO;
	}
	return 0;
}

/* The expected categories of a page in @state. */
static int wanted(int state, bool hole)
{
	if (state == PAGE_SWAPPED)
		return SWAPPED;
	return state == PAGE_RESIDENT && !hole ? RESIDENT : 0;
}

TEST_F(scan, tells_what_is_in_swap)
{
	struct pm_scan_arg arg = { .flags = PM_SCAN_SHMEM_SWAP, .vec_len = 512 };
	struct found found;
	size_t i;

	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(PAGES, found.pages);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(wanted(self->states[i], variant->hole), found.categories[i])
			TH_LOG("page %zu", i);
}

/* Runs go on across page tables. */
TEST_F(scan, a_region_for_each_run)
{
	struct pm_scan_arg arg = { .flags = PM_SCAN_SHMEM_SWAP, .vec_len = 512 };
	size_t i, runs = 1;
	struct found found;

	for (i = 1; i < PAGES; i++)
		runs += wanted(self->states[i], variant->hole) !=
			wanted(self->states[i - 1], variant->hole);
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(runs, found.regions);
	EXPECT_EQ(1, found.calls);
}

TEST_F(scan, without_the_flag_as_plain_reads)
{
	struct pm_scan_arg arg = { .vec_len = 512 };
	__u64 entries[PAGES];
	struct found found;
	size_t i;

	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->view.addr, entries, PAGES));
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(!!(entries[i] & PM_PRESENT),
			  !!(found.categories[i] & PAGE_IS_PRESENT));
		EXPECT_EQ(0, found.categories[i] & PAGE_IS_SWAPPED)
			TH_LOG("page %zu", i);
	}
}

TEST_F(scan, cut_by_max_pages)
{
	static const int limits[] = { 1, 2, 3, 7, 50, 511, 512, 513, PAGES };
	struct pm_scan_arg arg = { .flags = PM_SCAN_SHMEM_SWAP, .vec_len = 512 };
	struct found whole, found;
	size_t i;

	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &whole));
	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		arg.max_pages = limits[i];
		ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found))
			TH_LOG("%d pages at most", limits[i]);
		EXPECT_EQ(0, memcmp(found.categories, whole.categories,
				    sizeof(whole.categories)));
		EXPECT_EQ(whole.pages, found.pages);
		EXPECT_LE((whole.pages + limits[i] - 1) / limits[i], found.calls);
	}
}

TEST_F(scan, into_a_short_vector)
{
	struct pm_scan_arg arg = { .flags = PM_SCAN_SHMEM_SWAP, .vec_len = 512 };
	struct found whole, found;

	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &whole));
	for (arg.vec_len = 1; arg.vec_len < 5; arg.vec_len++) {
		ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found))
			TH_LOG("%llu regions", arg.vec_len);
		EXPECT_EQ(0, memcmp(found.categories, whole.categories,
				    sizeof(whole.categories)));
		EXPECT_EQ(whole.regions, found.regions);
	}
}

TEST_F(scan, masks_choose_by_what_was_looked_up)
{
	struct pm_scan_arg arg = { .flags = PM_SCAN_SHMEM_SWAP, .vec_len = 512 };
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	struct found found;

	arg.category_mask = PAGE_IS_SWAPPED;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(swapped, (long)found.pages);
	arg.category_mask = PAGE_IS_SWAPPED | PAGE_IS_FILE;
	arg.max_pages = 13;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(swapped, (long)found.pages);
	arg.category_inverted = PAGE_IS_SWAPPED;
	arg.category_mask = PAGE_IS_SWAPPED;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(PAGES - swapped, (long)found.pages);
	arg.category_inverted = 0;
	arg.category_mask = 0;
	arg.category_anyof_mask = PAGE_IS_SWAPPED | PAGE_IS_GUARD;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(swapped, (long)found.pages);
	/* Only the bits of return_mask tell runs apart: all pages are one region. */
	arg.category_anyof_mask = 0;
	arg.return_mask = PAGE_IS_HUGE;
	arg.max_pages = 0;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(1, found.regions);
}

/* With both look-ups: in calls of any size, and chosen by any of the categories. */
TEST_F(scan, both_look_ups_in_parts_and_by_masks)
{
	struct pm_scan_arg arg = {
		.flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE,
		.vec_len = 512,
		.return_mask = CATEGORIES | PAGE_IS_CACHED,
	};
	long cached = variant->hole ? region_count(&self->region, PAGE_RESIDENT) : 0;
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	struct found whole, found;

	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &whole));
	for (arg.vec_len = 1; arg.vec_len < 4; arg.vec_len++) {
		arg.max_pages = arg.vec_len * arg.vec_len % 4 * 5;
		ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
		EXPECT_EQ(0, memcmp(found.categories, whole.categories,
				    sizeof(whole.categories)));
	}
	arg.max_pages = 0;
	arg.category_mask = PAGE_IS_CACHED;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(cached, (long)found.pages);
	arg.category_inverted = PAGE_IS_CACHED;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(PAGES - cached, (long)found.pages);
	arg.category_inverted = 0;
	arg.category_mask = 0;
	arg.category_anyof_mask = PAGE_IS_CACHED | PAGE_IS_SWAPPED;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(cached + swapped, (long)found.pages);
}

static int watch(const struct region *r)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC,
	};
	struct uffdio_register reg = {
		.range = { (unsigned long)r->addr, r->pages * PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

/* Only written pages in swap are write-protected, over several calls, once each. */
TEST_F(scan, write_protects_what_it_finds)
{
	struct pm_scan_arg arg = {
		.flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_WP_MATCHING,
		.vec_len = 3,
		.max_pages = 10,
		.category_mask = PAGE_IS_SWAPPED | PAGE_IS_WRITTEN,
		.return_mask = CATEGORIES | PAGE_IS_WRITTEN,
	};
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	__u64 entries[PAGES];
	struct found found;
	int uffd;
	size_t i;

	uffd = watch(&self->view);
	ASSERT_LE(0, uffd);
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(swapped, (long)found.pages);
	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->view.addr, entries, PAGES));
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(self->states[i] == PAGE_SWAPPED, !!(entries[i] & PM_UFFD))
			TH_LOG("page %zu: %#llx", i, entries[i]);
		if (self->states[i] == PAGE_SWAPPED)
			EXPECT_EQ(SWAPPED | PAGE_IS_WRITTEN, found.categories[i]);
	}
	/* Write-protected, they are not PAGE_IS_WRITTEN, but still in swap. */
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(0, found.pages);
	arg.flags = PM_SCAN_SHMEM_SWAP;
	arg.category_mask = PAGE_IS_SWAPPED | PAGE_IS_FILE;
	ASSERT_EQ(0, scan_all(self->fd, &self->view, arg, &found));
	EXPECT_EQ(swapped, (long)found.pages);
	close(uffd);
}

TEST(unknown_flags_are_refused)
{
	struct pm_scan_arg arg = { .size = sizeof(arg) };
	int fd = proc_pagemap_open(getpid());
	int bit;

	ASSERT_LE(0, fd);
	for (bit = 0; bit < 64; bit++) {
		arg.flags = 1ULL << bit;
		EXPECT_EQ(bit < 4 ? 0 : -1, ioctl(fd, PAGEMAP_SCAN, &arg))
			TH_LOG("bit %d", bit);
	}
	close(fd);
}

/* Three pages in a terabyte: empty ranges are skipped. */
TEST(sparse_terabyte)
{
	static const __u64 pages[] = { 5, (1ULL << 27) + 1, (1ULL << 28) - 1 };
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_SHMEM_SWAP,
		.category_mask = PAGE_IS_SWAPPED,
		.return_mask = CATEGORIES,
		.vec_len = 8,
	};
	int memfd, fd = proc_pagemap_open(getpid());
	struct page_region regions[8];
	struct timespec from, to;
	struct region one;
	unsigned char *map;
	size_t i;

	ASSERT_LE(0, fd);
	memfd = memfd_create("xpagemap-test", MFD_CLOEXEC);
	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, 1LL << 40));
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		ASSERT_EQ(0, region_map(&one, NULL, 1, MAP_SHARED, memfd, pages[i]));
		region_fill(&one);
		ASSERT_EQ(0, region_pageout(&one));
		region_unmap(&one);
	}
	map = mmap(NULL, 1LL << 40, PROT_READ, MAP_SHARED | MAP_NORESERVE, memfd, 0);
	ASSERT_NE(MAP_FAILED, map);
	arg.start = (unsigned long)map;
	arg.end = arg.start + (1ULL << 40);
	arg.vec = (unsigned long)regions;
	clock_gettime(CLOCK_MONOTONIC, &from);
	ASSERT_EQ(3, ioctl(fd, PAGEMAP_SCAN, &arg));
	clock_gettime(CLOCK_MONOTONIC, &to);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		EXPECT_EQ(arg.start + pages[i] * PAGE_BYTES, regions[i].start);
		EXPECT_EQ(regions[i].start + PAGE_BYTES, regions[i].end);
		EXPECT_EQ(SWAPPED, regions[i].categories);
	}
	EXPECT_GE(2, to.tv_sec - from.tv_sec);
	munmap(map, 1LL << 40);
	close(memfd);
	close(fd);
}

TEST_HARNESS_MAIN
