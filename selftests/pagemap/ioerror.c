// SPDX-License-Identifier: GPL-2.0
/*
 * A page whose swap-in fails is lost: the file has a poison marker instead of a
 * swap entry, and the page has no location. Other pages keep their slots.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		1000
#define SLOTS		2048
#define LOST		20	/* in one run, with other pages on both sides */

FIXTURE(ioerror) {
	struct region region;
	struct cgroup cg;
	struct source src;
	size_t first;		/* index of the first lost page */
	struct dm_swap device;
};

/* Returns the first of @pages consecutive pages on the second device. */
static long find_run(const struct source *src, const struct region *r, size_t pages)
{
	static __u64 entries[PAGES];
	size_t i, run = 0;

	if (pagemap_read(src->fd, r->addr, entries, PAGES) != PAGES)
		return -1;
	for (i = 0; i < PAGES && run < pages; i++)
		run = pm_is_swap(entries[i]) && pm_swap_type(entries[i]) == 1 ? run + 1 : 0;
	return run == pages ? (long)(i - pages) : -1;
}

FIXTURE_SETUP(ioerror)
{
	struct survey s;
	long first;

	TEARDOWN_FROM_HERE();
	/* Without readahead, only touched pages are read, and fail. */
	ASSERT_EQ(0, dm_swap_create(&self->device, SLOTS));
	ASSERT_EQ(0, swapdev_on(self->device.path, SLOTS));

	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	ASSERT_EQ(PAGES, s.located);
	ASSERT_EQ(0, s.mistaken);
	/* A page still in the swap cache would not be read from the device. */
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	first = find_run(&self->src, &self->region, LOST + 2);
	ASSERT_LE(0, first);
	self->first = first + 1;
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, true));
}

FIXTURE_TEARDOWN_PARENT(ioerror)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, dm_swap_remove(&self->device));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

static int try_read(const struct region *r, size_t i)
{
	char byte;

	return pread(r->fd, &byte, 1, i * PAGE_BYTES) < 0 ? -errno : 0;
}

/* Surveys the pages before and after the lost ones. */
static void survey_others(struct __test_metadata *_metadata, const struct source *src,
			  const struct region *r, size_t first)
{
	struct region part = *r;
	struct survey s;

	part.pages = first;
	ASSERT_EQ(0, survey_region(src, &part, &s));
	EXPECT_EQ(first, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "before the lost pages");
	part.first = first + LOST;
	part.addr = region_page(r, part.first);
	part.pages = PAGES - part.first;
	ASSERT_EQ(0, survey_region(src, &part, &s));
	EXPECT_EQ(part.pages, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "behind the lost pages");
}

static void expect_lost(struct __test_metadata *_metadata, const struct source *src,
			const struct region *r, size_t first)
{
	__u64 entries[LOST];
	char id[64];
	size_t i;
	int fd;

	EXPECT_EQ(0, compare_range(src, region_page(r, first), LOST));
	ASSERT_EQ(LOST, pagemap_read(src->fd, region_page(r, first), entries, LOST));
	for (i = 0; i < LOST; i++)
		EXPECT_TRUE(pm_is_nothing(entries[i])) TH_LOG("%#llx", entries[i]);
	file_id(r->fd, id, sizeof(id));
	ASSERT_EQ(0, attach_fd(r->fd));
	fd = filemap_open(id);
	EXPECT_EQ(LOST, filemap_read(fd, first, entries, LOST));
	for (i = 0; i < LOST; i++)
		EXPECT_EQ(0, entries[i]);
	close(fd);
	EXPECT_EQ(0, detach_fd(id));
}

TEST_F(ioerror, poisoned_pages_have_no_place)
{
	const struct region *r = &self->region;
	size_t i;

	for (i = 0; i < LOST; i += 2)
		EXPECT_EQ(-EIO, try_read(r, self->first + i));
	for (i = 1; i < LOST; i += 2)
		EXPECT_EQ(-1, madvise(region_page(r, self->first + i), PAGE_BYTES,
				      MADV_POPULATE_READ));
	expect_lost(_metadata, &self->src, r, self->first);

	/* Reads succeed again; lost pages stay lost. */
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, false));
	for (i = 0; i < LOST; i++)
		EXPECT_EQ(-EIO, try_read(r, self->first + i));
	expect_lost(_metadata, &self->src, r, self->first);
	survey_others(_metadata, &self->src, r, self->first);
}

/* A punched hole removes the poison: new pages can be written and swapped out. */
TEST_F(ioerror, poison_punched_out)
{
	struct region *r = &self->region;
	struct survey s;
	size_t i;

	for (i = 0; i < LOST; i++)
		EXPECT_EQ(-EIO, try_read(r, self->first + i));
	ASSERT_EQ(0, fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       self->first * PAGE_BYTES, LOST * PAGE_BYTES));
	expect_lost(_metadata, &self->src, r, self->first);
	EXPECT_EQ(0, try_read(r, self->first));
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, false));
	for (i = 0; i < LOST; i++)
		region_fill_page(r, self->first + i);
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, survey_region(&self->src, r, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after the punch");
}

TEST_HARNESS_MAIN
