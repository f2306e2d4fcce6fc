// SPDX-License-Identifier: GPL-2.0
/*
 * WHERE of swapmap, on a device whose writes can be held and whose reads can be made to
 * fail, and that was full of other bytes before.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/swap.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	200
#define SLOTS	2000
#define OLD	0xa5	/* all bytes of the device, before */

FIXTURE(place_device) {
	struct region region;
	struct cgroup cg;
	struct dm_swap device;
	pid_t attached;
	struct swap_place places[PAGES];
};

FIXTURE_VARIANT(place_device) {
	int (*map)(struct region *r, size_t pages);
};

FIXTURE_VARIANT_ADD(place_device, memfd) {
	.map = region_map_memfd,
};

FIXTURE_VARIANT_ADD(place_device, anon) {
	.map = region_map_private_anon,
};

static int fill_device(const char *path)
{
	static unsigned char old[PAGE_BYTES];
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t i;
	int err = 0;

	if (fd < 0)
		return -errno;
	memset(old, OLD, sizeof(old));
	for (i = 0; i < SLOTS && !err; i++)
		if (pwrite(fd, old, sizeof(old), i * sizeof(old)) != sizeof(old))
			err = -EIO;
	if (fsync(fd))
		err = -EIO;
	close(fd);
	return err;
}

/* The device is the only one. */
FIXTURE_SETUP(place_device)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, dm_swap_create(&self->device, SLOTS));
	ASSERT_EQ(0, fill_device(self->device.path));
	ASSERT_EQ(0, swapdev_on(self->device.path, SLOTS));
	ASSERT_EQ(0, swapoff(getenv("XPAGEMAP_SWAPDEV"))) TH_LOG("%m");
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, variant->map(&self->region, PAGES));
	ASSERT_EQ(0, attach(getpid()));
	self->attached = getpid();
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
}

FIXTURE_TEARDOWN_PARENT(place_device)
{
	if (self->attached)
		EXPECT_EQ(0, detach(self->attached));
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	EXPECT_EQ(0, dm_swap_remove(&self->device));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

static bool is_old(const unsigned char *page)
{
	return page[0] == OLD && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* Number of pages whose bytes the device has in their slots; it is not of type 0. */
static size_t on_device(const char *path, const struct region *r,
			const struct swap_place *places)
{
	struct swapdisk disk;
	const void *bytes;
	size_t i, found = 0;

	if (swapdisk_open_path(&disk, path))
		return 0;
	for (i = 0; i < r->pages; i++) {
		bytes = swapdisk_page(&disk, places[i].offset);
		found += bytes && pattern_matches(bytes, r->id, i);
	}
	swapdisk_close(&disk);
	return found;
}

/* Pages of zeroes have slots; the device still has the bytes from before there. */
TEST_F(place_device, zero_is_never_written)
{
	struct region *r = &self->region;
	struct swapdisk disk;
	const void *bytes;
	size_t i;

	for (i = 0; i < PAGES; i += 2)
		memset(region_page(r, i), 0, PAGE_BYTES);
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(PAGES / 2, places_count(self->places, PAGES, PLACE_ZERO));
	EXPECT_EQ(PAGES / 2, places_count(self->places, PAGES, PLACE_DISK))
		places_print(self->places, PAGES);
	ASSERT_EQ(0, swapdisk_open_path(&disk, self->device.path));
	for (i = 0; i < PAGES; i++) {
		bytes = swapdisk_page(&disk, self->places[i].offset);
		ASSERT_NE(NULL, bytes);
		EXPECT_TRUE(i % 2 ? pattern_matches(bytes, r->id, i) : is_old(bytes));
	}
	swapdisk_close(&disk);
}

/* Writes that the device holds back: no page is `disk` before they are done. */
TEST_F(place_device, cache_until_written)
{
	struct region *r = &self->region;
	size_t i;

	ASSERT_EQ(0, dm_hold(true));
	ASSERT_EQ(0, region_pageout(r));
	/* Reclaim by the cgroup would wait for the device. */
	EXPECT_LT(0, read_value("/proc/vmstat", "nr_writeback"));
	for (i = 0; i < 5; i++) {
		madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT);
		ASSERT_EQ(0, places_of(r, getpid(), self->places));
		EXPECT_EQ(PAGES, places_count(self->places, PAGES, PLACE_CACHE))
			places_print(self->places, PAGES);
	}
	ASSERT_EQ(0, dm_hold(false));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(PAGES, places_count(self->places, PAGES, PLACE_DISK))
		places_print(self->places, PAGES);
	EXPECT_EQ(PAGES, on_device(self->device.path, r, self->places));
}

/* Exits with 0 if the page is what was written; SIGBUS if it cannot be read. */
static int read_first(struct child *c, void *arg)
{
	struct region *r = arg;

	(void)c;
	return !pattern_matches(region_page(r, 0), r->id, 0);
}

/*
 * A page that cannot be read is nowhere, as long as its empty page is in the swap cache. The
 * bytes are still in the slot: it is `disk` once that is gone, and can be read again. A file's
 * page is poisoned for good, and has no slot.
 */
TEST_F(place_device, none_after_a_failed_read)
{
	struct region *r = &self->region;
	const bool file = r->fd >= 0;
	struct child c;
	int status;

	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, true));
	ASSERT_EQ(0, child_start(&c, read_first, r));
	status = child_wait(&c);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGBUS, WTERMSIG(status));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(file ? PLACE_ABSENT : PLACE_NONE, self->places[0].kind);
	EXPECT_EQ(PAGES - 1, places_count(self->places, PAGES, PLACE_DISK))
		places_print(self->places, PAGES);
	ASSERT_EQ(0, dm_swap_fail_reads(&self->device, false));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(PAGES - file, places_count(self->places, PAGES, PLACE_DISK))
		places_print(self->places, PAGES);
	if (!file)
		EXPECT_EQ(0, region_damaged(r));
}

TEST_HARNESS_MAIN
