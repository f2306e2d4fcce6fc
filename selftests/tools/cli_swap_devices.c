// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap` with a second device: pages that were read back and keep their slot, and
 * types after swapoff of a device between two others.
 */
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		900	/* at most 512 go to the disk first, see swapdev.h */
#define READ_BACK	20

FIXTURE(cli_swap_devices) {
	struct setting cluster;
	struct region region;
	struct cli out;
	char path[SWAPDEV_PATH], process[64];
};

FIXTURE_SETUP(cli_swap_devices)
{
	int fd;

	TEARDOWN_FROM_HERE();
	/* No readahead: only touched pages are swapped in. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, swapdev_restart());
	snprintf(self->process, sizeof(self->process), "\"pid\":%d,", getpid());
	fd = swapdev_loop(PAGES, self->path);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(-fd));
	ASSERT_EQ(0, swapdev_on(self->path, PAGES));
	close(fd);
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, region_pageout(&self->region));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_swap_devices)
{
	EXPECT_EQ(0, swapdev_remove_all());
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* Number of entries with swap type @type, by /proc. */
static long slots_of_type(const struct region *r, unsigned int type)
{
	int fd = proc_pagemap_open(getpid());
	__u64 entry;
	long count = 0;
	size_t i;

	for (i = 0; i < r->pages; i++)
		if (pagemap_read(fd, region_page(r, i), &entry, 1) == 1 &&
		    (entry & PM_SWAP) && pm_swap_type(entry) == type)
			count++;
	close(fd);
	return count;
}

/* A page that was read and not written keeps its slot. */
TEST_F(cli_swap_devices, pages_read_back_keep_their_slots)
{
	long long used = swaps_used(NULL);
	int i;

	for (i = 0; i < READ_BACK; i++)
		ASSERT_EQ(0, madvise(region_page(&self->region, i * 7), PAGE_BYTES,
				     MADV_POPULATE_READ));
	EXPECT_EQ(used, swaps_used(NULL));
	ASSERT_TRUE(sheet_settled(&self->out, self->path, "")) TH_LOG("%s", self->out.text);
	EXPECT_EQ(READ_BACK, cli_number(&self->out, self->process, "cached"));
	EXPECT_EQ(PAGES - READ_BACK, cli_number(&self->out, self->process, "alone"));
}

/* /proc/swaps leaves out a device that was switched off: types have a gap. */
TEST_F(cli_swap_devices, devices_keep_their_types)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	char path[SWAPDEV_PATH];
	struct region r;
	int fd;

	fd = swapdev_loop(PAGES, path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, swapdev_on(path, PAGES));
	close(fd);
	ASSERT_EQ(0, swapoff(self->path)) TH_LOG("%m");
	ASSERT_EQ(0, region_map_filled(&r, PAGES));
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_LT(0, slots_of_type(&r, 2));
	ASSERT_TRUE(sheet_settled(&self->out, path, "")) TH_LOG("%s", self->out.text);
	EXPECT_TRUE(cli_says(&self->out, "{\"type\":2,\"path\":\"%s\"", path));
	EXPECT_TRUE(cli_says(&self->out, "{\"type\":0,\"path\":\"%s\"", disk));

	/* That device alone. */
	cli_free(&self->out);
	ASSERT_EQ(0, cli_run(&self->out, "swap --json --by process --device %s", path));
	EXPECT_EQ(0, self->out.status);
	EXPECT_FALSE(cli_says(&self->out, "\"path\":\"%s\"", disk));
	EXPECT_FALSE(cli_says(&self->out, "\"kind\":\"file\""));
	EXPECT_EQ(slots_of_type(&r, 2) + slots_of_type(&self->region, 2),
		  cli_number(&self->out, self->process, "alone"));
	region_free(&r);
}

TEST_HARNESS_MAIN
