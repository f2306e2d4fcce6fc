// SPDX-License-Identifier: GPL-2.0
/*
 * Slots that only the swap cache holds: a process ends while its pages are written to the
 * device. Nothing refers to the slots then, and no process maps the pages.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	200
#define KEPT	30	/* of a process that lives, in swap */
#define SLOTS	2000

FIXTURE(cli_swap_cache) {
	struct region kept;
	struct child child;
	struct dm_swap device;
	struct cli out;
};

static int page_out(struct child *c, void *arg)
{
	struct region r;

	(void)arg;
	if (region_map_filled(&r, PAGES) || !child_tell(c) || !child_hear(c))
		return 1;
	/* Writes are held: waiting for the pages to go would take for ever. */
	if (madvise(r.addr, PAGES * PAGE_BYTES, MADV_PAGEOUT) || !child_tell(c))
		return 1;
	child_hear(c);
	return 0;
}

/* The device is the only one, so that all goes there. */
FIXTURE_SETUP(cli_swap_cache)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, dm_swap_create(&self->device, SLOTS));
	ASSERT_EQ(0, swapdev_on(self->device.path, SLOTS));
	ASSERT_EQ(0, swapoff(getenv("XPAGEMAP_SWAPDEV"))) TH_LOG("%m");
	ASSERT_EQ(0, region_map_filled(&self->kept, KEPT));
	ASSERT_EQ(0, region_pageout(&self->kept));
	ASSERT_EQ(0, child_start(&self->child, page_out, NULL));
	ASSERT_TRUE(child_hear(&self->child));
}

FIXTURE_TEARDOWN_PARENT(cli_swap_cache)
{
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	EXPECT_EQ(0, dm_swap_remove(&self->device));
}

/* The entry of a slot in the module's file, or a negative errno. */
static long long slot_entry(int fd, unsigned long long type, unsigned long long offset)
{
	__u64 entry;

	if (pread(fd, &entry, sizeof(entry), (type << SLOTS_TYPE_SHIFT | offset) * sizeof(entry)) !=
	    sizeof(entry))
		return -EIO;
	return entry;
}

static int read_sheet(struct cli *out)
{
	cli_free(out);
	return cli_run(out, "swap --json");
}

TEST_F(cli_swap_cache, slots_of_a_process_that_ended_while_it_was_written)
{
	const char *path = self->device.path;
	long long cached = 0, places[5] = {}, entry, i;
	__u64 pm;
	int fd;

	ASSERT_EQ(0, dm_hold(true));
	ASSERT_TRUE(child_ask(&self->child));
	child_kill(&self->child);
	/* Independent: used slots, and pages in the swap cache, by the kernel's own counts. */
	ASSERT_EQ(KEPT + PAGES, swaps_used(path));
	EXPECT_LE(PAGES, read_value("/proc/meminfo", "SwapCached") * 1024 / PAGE_BYTES);

	ASSERT_EQ(0, read_sheet(&self->out));
	EXPECT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
	EXPECT_EQ(KEPT + PAGES, sheet_number(&self->out, path, "used"));
	cached = sheet_number(&self->out, path, "cached");
	EXPECT_EQ(PAGES, sheet_number(&self->out, path, "swap_cache"))
		TH_LOG("%s", self->out.text);
	EXPECT_EQ(KEPT, sheet_number(&self->out, path, "anonymous") + cached);
	EXPECT_EQ(0, sheet_number(&self->out, path, "transient"));
	EXPECT_EQ(0, sheet_number(&self->out, path, "unexplained"));

	/* `slots` has all of them, and the living process's where its page table says. */
	fd = open(XPAGEMAP_SLOTS, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, pagemap_read(proc_pagemap_open(getpid()), self->kept.addr, &pm, 1));
	ASSERT_TRUE(pm & PM_SWAP);
	for (i = 0; i <= SLOTS; i++) {
		entry = slot_entry(fd, pm_swap_type(pm), i);
		ASSERT_LE(0, entry);
		ASSERT_GE(SLOT_CACHE, entry);
		places[entry]++;
	}
	EXPECT_EQ(KEPT + PAGES, SLOTS + 1 - places[SLOT_FREE]);
	EXPECT_LE(PAGES, places[SLOT_CACHE]);
	EXPECT_NE(SLOT_FREE, slot_entry(fd, pm_swap_type(pm), pm_swap_offset(pm)));
	close(fd);

	/* Written, and still in the swap cache; swapoff would free them. */
	ASSERT_EQ(0, dm_hold(false));
	ASSERT_EQ(0, read_sheet(&self->out));
	EXPECT_EQ(0, sheet_number(&self->out, path, "unexplained"))
		TH_LOG("%s", self->out.text);
}

TEST_HARNESS_MAIN
