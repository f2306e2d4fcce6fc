// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that hold only zeroes get a slot or not, depending on how they were made.
 * The slots are not written, so there are no bytes to compare: each page must have
 * a slot of its own on the device.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 1100	/* spans more than two page tables */

FIXTURE(unwritten) {
	struct region region;
	struct cgroup cg;
	struct source src;
	__u64 slots;		/* on the device */
};

FIXTURE_SETUP(unwritten)
{
	struct swapdisk disk;

	ASSERT_EQ(0, swapdisk_open(&disk));
	self->slots = disk.slots;
	swapdisk_close(&disk);
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(unwritten)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

static int compare_entries(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Number of entries that are not exactly swap and file, with a slot of their own. */
static size_t without_own_slot(const struct source *src, const struct region *r,
			       __u64 slots)
{
	static __u64 entries[PAGES];
	size_t i, bad = 0;
	__u64 slot;

	if (pagemap_read(src->fd, r->addr, entries, r->pages) != (long)r->pages)
		return r->pages;
	for (i = 0; i < r->pages; i++) {
		entries[i] &= ~PM_SOFT_DIRTY;
		slot = pm_swap_offset(entries[i]);
		bad += (entries[i] & ~PM_SWAP_OFFSET) != (PM_SWAP | PM_FILE) ||
		       !slot || slot >= slots;
	}
	qsort(entries, r->pages, sizeof(*entries), compare_entries);
	for (i = 1; i < r->pages; i++)
		bad += entries[i] == entries[i - 1];
	return bad;
}

static size_t not_zero(const struct region *r)
{
	static const unsigned char zeroes[PAGE_BYTES];
	size_t i, bad = 0;

	for (i = 0; i < r->pages; i++)
		bad += !!memcmp(region_page(r, i), zeroes, PAGE_BYTES);
	return bad;
}

/* The kernel's count of slots: the swap charged to the cgroup. */
static long long charged_slots(const struct cgroup *cg)
{
	return cgroup_value(cg, "memory.swap.current") / (long long)PAGE_BYTES;
}

/* Clean pages are dropped, not swapped: they have no slot. */
TEST_F(unwritten, read_only_touched)
{
	struct survey s;

	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_RESIDENT));
	ASSERT_EQ(0, region_pageout(&self->region));
	EXPECT_EQ(PAGES, region_count(&self->region, PAGE_ABSENT));
	EXPECT_EQ(0, charged_slots(&self->cg));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.nothing);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, filemap_survey(&self->region));
}

TEST_F(unwritten, written_with_zeroes)
{
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	memset(self->region.addr, 0, PAGES * PAGE_BYTES);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(PAGES, charged_slots(&self->cg));
	EXPECT_EQ(0, without_own_slot(&self->src, &self->region, self->slots));
	EXPECT_EQ(0, not_zero(&self->region));
}

/* Allocated pages that no process has touched. */
TEST_F(unwritten, fallocated_only)
{
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, fallocate(self->region.fd, 0, 0, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_RESIDENT));
	EXPECT_EQ(0, count_entries(self->src.proc, self->region.addr, PAGES, PM_PRESENT));
	ASSERT_EQ(0, region_reclaim(&self->region, &self->cg));
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(PAGES, charged_slots(&self->cg));
	EXPECT_EQ(0, without_own_slot(&self->src, &self->region, self->slots));
	EXPECT_EQ(0, not_zero(&self->region));
}

TEST_F(unwritten, fallocated_then_read)
{
	ASSERT_EQ(0, fallocate(self->region.fd, 0, 0, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(0, without_own_slot(&self->src, &self->region, self->slots));
	EXPECT_EQ(0, not_zero(&self->region));
}

/*
 * Pages allocated beyond the file's end, mapped but not accessible: they have
 * slots, and keep them when the file grows over them.
 */
TEST_F(unwritten, allocated_beyond_the_end)
{
	static __u64 before[PAGES], after[PAGES];
	size_t size = 100;

	ASSERT_EQ(0, ftruncate(self->region.fd, size * PAGE_BYTES));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, fallocate(self->region.fd, FALLOC_FL_KEEP_SIZE, 0,
			       PAGES * PAGE_BYTES));
	ASSERT_EQ(0, cgroup_leave());
	EXPECT_EQ((off_t)(size * PAGE_BYTES), lseek(self->region.fd, 0, SEEK_END));
	ASSERT_EQ(0, region_reclaim(&self->region, &self->cg));
	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(PAGES, charged_slots(&self->cg));
	EXPECT_EQ(0, without_own_slot(&self->src, &self->region, self->slots));
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, before, PAGES));
	ASSERT_EQ(0, ftruncate(self->region.fd, PAGES * PAGE_BYTES));
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, after, PAGES));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	EXPECT_EQ(0, not_zero(&self->region));
}

TEST_HARNESS_MAIN
