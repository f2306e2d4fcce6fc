// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap watch` on a pseudo-terminal: its screen against /proc/PID/pagemap, cachestat() and
 * /proc/swaps, and the terminal after each way to end it. The way by a panic is a unit test,
 * tools/src/commands/watch/terminal.rs.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SHARED		600
#define SWAPPED		400	/* the first of them */
#define UNMAPPED	50	/* the last of them: in the page cache */
#define ALONE		90	/* private pages */
#define ALONE_SWAPPED	64	/* the first of them */

#define SLOTS		65536
#define PATIENCE	120	/* seconds */

FIXTURE(cli_watch) {
	struct region shared, alone;
	struct screen screen;
	struct control_state before;
	struct cells cells;
};

FIXTURE_SETUP(cli_watch)
{
	size_t i;

	self->before = control_state_now();
	ASSERT_EQ(0, swapdev_restart());
	self->cells.pagemap = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->cells.pagemap);
	ASSERT_EQ(0, region_map_memfd(&self->shared, SHARED));
	for (i = 0; i < SWAPPED; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, region_pageout(&self->shared));
	for (; i < SHARED; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, madvise(region_page(&self->shared, SHARED - UNMAPPED), UNMAPPED * PAGE_BYTES,
			     MADV_DONTNEED));
	ASSERT_EQ(0, region_map_apart(&self->alone, ALONE));
	region_fill(&self->alone);
	ASSERT_EQ(0, region_pageout_pages(&self->alone, 0, ALONE_SWAPPED));
}

FIXTURE_TEARDOWN(cli_watch)
{
	screen_close(&self->screen);
	region_free(&self->alone);
	region_free(&self->shared);
	close(self->cells.pagemap);
	EXPECT_TRUE(control_unchanged(self->before));
}

TEST_F(cli_watch, screen_shows_the_pages)
{
	struct screen *screen = &self->screen;

	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", getpid()));
	EXPECT_TRUE(screen_wait(screen, "xpagemap watch %d (cli_watch)", getpid()));
	EXPECT_TRUE(screen->other);
	/* The fork shared them with the program's process. */
	for (size_t i = ALONE_SWAPPED; i < ALONE; i++)
		region_fill_page(&self->alone, i);
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->shared, 0)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "++++++++++++"));
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->shared, 1)) screen_show(screen);
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->alone, 1)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "--"));
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->alone, 4)) screen_show(screen);

	/* Numbers and cells move. */
	EXPECT_TRUE(screen_wait(screen, "W swap, shared %d", SWAPPED)) screen_show(screen);
	for (size_t i = 0; i < 8; i++)
		region_fill_page(&self->shared, i);
	EXPECT_TRUE(screen_wait(screen, "W swap, shared %ld",
				region_count(&self->shared, PAGE_SWAPPED))) screen_show(screen);
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->shared, 4)) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	EXPECT_TRUE(screen_is_restored(screen));
}

static size_t count_letters(const char *letters, char letter)
{
	size_t slot, count = 0;

	for (slot = 0; slot < SLOTS; slot++)
		count += letters[slot] == letter;
	return count;
}

/* Number of the region's swapped pages whose slot has another letter. */
static size_t other_letters(const char *letters, int pagemap, const struct region *r)
{
	size_t i, others = 0;
	__u64 entry;

	for (i = 0; i < ALONE_SWAPPED; i++) {
		if (pagemap_read(pagemap, region_page(r, i), &entry, 1) != 1 ||
		    !(entry & PM_SWAP) || pm_swap_offset(entry) >= SLOTS)
			return ALONE_SWAPPED;
		others += letters[pm_swap_offset(entry)] != 'S';
	}
	return others;
}

TEST_F(cli_watch, slots_are_those_of_the_page_tables)
{
	static char letters[SLOTS];
	struct screen *screen = &self->screen;
	const char *device = getenv("XPAGEMAP_SWAPDEV");
	long long kib = read_value("/proc/self/status", "VmSwap");
	long long swapped = kib * 1024 / (long long)PAGE_BYTES;
	time_t end = time(NULL) + PATIENCE;
	long first, last, all, pressed = -1;
	size_t scale;

	ASSERT_LE(ALONE_SWAPPED, swapped);
	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", getpid()));
	ASSERT_EQ(0, screen_type(screen, "2++++++++++++++++"));
	/* Others swap, too. */
	while (time(NULL) < end && screen_read(screen, 200)) {
		char used[SCREEN_COLUMNS];

		snprintf(used, sizeof(used), "%s: %lld of ", device, swaps_used(device));
		if (screen_find(screen, used))
			break;
	}
	EXPECT_GT(end, time(NULL)) screen_show(screen);
	EXPECT_TRUE(screen_wait(screen, "S swap, private %lld", swapped)) screen_show(screen);
	EXPECT_TRUE(screen_wait(screen, "W swap, shared %d", SWAPPED)) screen_show(screen);

	/* Each slot by itself, on as many screens as it takes. */
	EXPECT_TRUE(screen_wait(screen, " 1 slot a cell")) screen_show(screen);
	while (time(NULL) < end && screen_read(screen, 100)) {
		cells_note(screen, letters, SLOTS);
		if (count_letters(letters, 'S') == (size_t)swapped &&
		    count_letters(letters, 'W') == SWAPPED)
			break;
		if (cells_last_line(screen, &scale, &first, &last, &all) && first != pressed) {
			ASSERT_EQ(0, screen_type(screen, last * CELLS_LINE < SLOTS ? " " : "g"));
			pressed = first;
		}
	}
	EXPECT_EQ(0, other_letters(letters, self->cells.pagemap, &self->alone)) screen_show(screen);
	EXPECT_EQ(swapped, (long long)count_letters(letters, 'S'));
	EXPECT_EQ(SWAPPED, count_letters(letters, 'W'));
	ASSERT_EQ(0, kill(screen->pid, SIGTERM));
	EXPECT_EQ(0, screen_end(screen));
	EXPECT_TRUE(screen_is_restored(screen));
}

/* A new page is an event, with its address. */
TEST_F(cli_watch, events_have_the_addresses)
{
	struct screen *screen = &self->screen;
	struct region page;
	char want[64];

	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 --trace %d", getpid()));
	EXPECT_TRUE(screen_wait(screen, "xpagemap watch"));
	ASSERT_EQ(0, screen_type(screen, "3"));
	EXPECT_TRUE(screen_wait(screen, " events, rows")) screen_show(screen);
	ASSERT_EQ(0, region_map_apart(&page, 1));
	region_fill(&page);
	snprintf(want, sizeof(want), "%lx set   new           cli_watch (%d)",
		 (unsigned long)page.addr, getpid());
	EXPECT_TRUE(screen_wait(screen, "%s", want)) screen_show(screen);
	/* The same at the foot of the map. */
	ASSERT_EQ(0, screen_type(screen, "\t"));
	EXPECT_TRUE(screen_wait(screen, " a cell")) screen_show(screen);
	EXPECT_NE(NULL, screen_find(screen, want)) screen_show(screen);
	region_free(&page);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	EXPECT_TRUE(screen_is_restored(screen));
}

static int watch_itself(struct child *c, void *arg)
{
	struct screen *screen = arg;

	(void)c;
	if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1) ||
	    screen_start(screen, "watch %d", getpid()))
		return 100;
	if (!screen_wait(screen, "not known: exclusive, shared by fork, KSM: run this as root") ||
	    !screen_wait(screen, "P private ") || screen_find(screen, "E exclusive"))
		return 101;
	screen_type(screen, "2");
	if (!screen_wait(screen, "not known: run this as root"))
		return 102;
	screen_type(screen, "q");
	return screen_end(screen) ? 103 : screen_is_restored(screen) ? 0 : 104;
}

TEST_F(cli_watch, user_is_told_what_is_not_known)
{
	struct child child;
	struct cli out;

	ASSERT_EQ(0, child_start(&child, watch_itself, &self->screen));
	EXPECT_EQ(0, WEXITSTATUS(child_wait(&child)));
	ASSERT_EQ(0, cli_run(&out, "watch %d", getpid()));
	EXPECT_EQ(1, out.status);
	EXPECT_TRUE(cli_says(&out, "needs a terminal")) TH_LOG("%s", out.text);
	cli_free(&out);
}

enum way { CTRL_C, KEY, TERM, INT, EXIT, ZOMBIE, WAYS };

TEST_F(cli_watch, every_end_restores_the_terminal)
{
	struct screen *screen = &self->screen;
	struct child child;

	for (enum way way = CTRL_C; way < WAYS; way++) {
		ASSERT_EQ(0, child_start_idle(&child));
		ASSERT_EQ(0, screen_start(screen, "watch -t %d", child.pid));
		EXPECT_TRUE(screen_wait(screen, "xpagemap watch %d", child.pid));
		EXPECT_FALSE(screen_is_restored(screen));
		switch (way) {
		case CTRL_C:
		case KEY:
			ASSERT_EQ(0, screen_type(screen, way == KEY ? "q" : "\003"));
			break;
		case TERM:
		case INT:
			ASSERT_EQ(0, kill(screen->pid, way == TERM ? SIGTERM : SIGINT));
			break;
		case ZOMBIE:
			ASSERT_EQ(0, kill(child.pid, SIGKILL));
			break;
		default:
			child_kill(&child);
		}
		EXPECT_EQ(0, screen_end(screen)) TH_LOG("way %d", way);
		EXPECT_TRUE(screen_is_restored(screen)) TH_LOG("way %d", way);
		EXPECT_EQ(way >= EXIT, !!screen_find(screen, ") has exited")) screen_show(screen);
		if (way != EXIT)
			child_kill(&child);
		screen_close(screen);
	}
}

TEST_HARNESS_MAIN
