// SPDX-License-Identifier: GPL-2.0
/*
 * The device view of `xpagemap watch` with several swap devices: the letters of slots and their
 * number against /proc/PID/pagemap, which has the swap types, and /proc/swaps.
 */
#include <stdlib.h>
#include <sys/swap.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		900	/* at most 512 go to the disk first, see swapdev.h */
#define PATIENCE	120	/* seconds */

FIXTURE(cli_watch_devices) {
	struct region region;
	struct screen screen;
	char path[SWAPDEV_PATH];
	int pagemap;
};

static int add_device(char *path)
{
	int fd = swapdev_loop(PAGES, path), err;

	if (fd < 0)
		return fd;
	err = swapdev_on(path, PAGES);
	close(fd);
	return err;
}

FIXTURE_SETUP(cli_watch_devices)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, swapdev_restart());
	self->pagemap = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->pagemap);
	ASSERT_EQ(0, add_device(self->path));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_watch_devices)
{
	EXPECT_EQ(0, swapdev_remove_all());
}

/* The region's swapped pages of swap type @type; notes their slots. */
static long slots_of_type(int pagemap, const struct region *r, unsigned int type, char *slots)
{
	__u64 entry;
	long count = 0;

	memset(slots, '.', PAGES);
	for (size_t i = 0; i < r->pages; i++) {
		if (pagemap_read(pagemap, region_page(r, i), &entry, 1) != 1 ||
		    !(entry & PM_SWAP) || pm_swap_type(entry) != type)
			continue;
		count++;
		if (pm_swap_offset(entry) < PAGES)
			slots[pm_swap_offset(entry)] = 'S';
	}
	return count;
}

/* Waits until the device is shown with its used slots, and so many of the process. */
static bool shows(struct screen *screen, const char *device, long count)
{
	time_t end = time(NULL) + PATIENCE;
	char used[SCREEN_COLUMNS], own[SCREEN_COLUMNS];

	snprintf(own, sizeof(own), "S swap, private %ld ", count);
	/* Others swap, too. */
	while (time(NULL) < end && screen_read(screen, 100)) {
		snprintf(used, sizeof(used), "%s: %lld of ", device, swaps_used(device));
		if (screen_find(screen, used) && screen_find(screen, own))
			return true;
	}
	return false;
}

TEST_F(cli_watch_devices, second_device_has_its_own_slots)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	struct screen *screen = &self->screen;
	char wanted[PAGES], letters[PAGES];
	time_t end = time(NULL) + PATIENCE;
	long first, last, all, on_disk, count, pressed = -1;
	size_t scale;

	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, region_pageout(&self->region));
	on_disk = slots_of_type(self->pagemap, &self->region, 0, wanted);
	count = slots_of_type(self->pagemap, &self->region, 1, wanted);
	ASSERT_LT(0, on_disk);
	ASSERT_LT(0, count);
	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", getpid()));
	ASSERT_EQ(0, screen_type(screen, "2"));
	EXPECT_TRUE(shows(screen, disk, on_disk)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "d"));
	EXPECT_TRUE(shows(screen, self->path, count)) screen_show(screen);

	/* Each slot by itself. */
	ASSERT_EQ(0, screen_type(screen, "++++++++"));
	EXPECT_TRUE(screen_wait(screen, " 1 slot a cell")) screen_show(screen);
	memset(letters, '.', sizeof(letters));
	while (time(NULL) < end && screen_read(screen, 100)) {
		cells_note(screen, letters, PAGES);
		if (!memcmp(letters, wanted, PAGES))
			break;
		if (cells_last_line(screen, &scale, &first, &last, &all) && first != pressed) {
			ASSERT_EQ(0, screen_type(screen, last < all ? " " : "g"));
			pressed = first;
		}
	}
	EXPECT_EQ(0, memcmp(letters, wanted, PAGES)) screen_show(screen);

	/* The next one is the first again. */
	ASSERT_EQ(0, screen_type(screen, "d"));
	EXPECT_TRUE(shows(screen, disk, on_disk)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	region_free(&self->region);
}

/* /proc/swaps leaves out a device that was switched off: types have a gap. */
TEST_F(cli_watch_devices, types_have_a_gap)
{
	struct screen *screen = &self->screen;
	char path[SWAPDEV_PATH], wanted[PAGES];
	long count;

	ASSERT_EQ(0, add_device(path));
	ASSERT_EQ(0, swapoff(self->path)) TH_LOG("%m");
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, region_pageout(&self->region));
	count = slots_of_type(self->pagemap, &self->region, 2, wanted);
	ASSERT_LT(0, count);
	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", getpid()));
	ASSERT_EQ(0, screen_type(screen, "2d"));
	EXPECT_TRUE(shows(screen, path, count)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	region_free(&self->region);
}

TEST_HARNESS_MAIN
