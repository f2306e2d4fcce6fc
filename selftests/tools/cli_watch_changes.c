// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap watch` when its process executes another program, without the module, and without
 * colour: the cells are those of /proc/PID/pagemap, and each screen says what it does not tell.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SHARED		40	/* pages, in swap but for the last */
#define ALONE		90	/* private pages */
#define ALONE_SWAPPED	64	/* the first of them */
#define PATIENCE	120	/* seconds */

FIXTURE(cli_watch_changes) {
	struct region shared, alone;
	struct screen screen;
	struct child child;
	struct control_state before;
	struct cells cells;
};

/* Writes pages, so that they are its own, and becomes a shell that reads its pipe. */
static int execute_when_told(struct child *c, void *arg)
{
	struct region *alone = arg;

	for (size_t i = ALONE_SWAPPED; i < ALONE; i++)
		region_fill_page(alone, i);
	if (!child_tell(c) || !child_hear(c) || dup2(c->in, STDIN_FILENO) < 0)
		return 1;
	execl("/bin/sh", "sh", NULL);
	return 1;
}

FIXTURE_SETUP(cli_watch_changes)
{
	self->before = control_state_now();
	ASSERT_EQ(0, region_map_memfd(&self->shared, SHARED));
	region_fill(&self->shared);
	ASSERT_EQ(0, region_pageout(&self->shared));
	region_fill_page(&self->shared, SHARED - 1);
	ASSERT_EQ(0, region_map_apart(&self->alone, ALONE));
	region_fill(&self->alone);
	ASSERT_EQ(0, region_pageout_pages(&self->alone, 0, ALONE_SWAPPED));
	ASSERT_EQ(0, child_start(&self->child, execute_when_told, &self->alone));
	ASSERT_TRUE(child_hear(&self->child));
	self->cells.pagemap = proc_pagemap_open(self->child.pid);
	ASSERT_LE(0, self->cells.pagemap);
	self->cells.no_file = source_is_proc();
}

FIXTURE_TEARDOWN(cli_watch_changes)
{
	screen_close(&self->screen);
	child_kill(&self->child);
	close(self->cells.pagemap);
	region_free(&self->alone);
	region_free(&self->shared);
	if (!source_is_proc() && !self->cells.no_module)
		EXPECT_TRUE(control_unchanged(self->before));
}

/* Has the child execute the shell, and takes its stack and its pagemap. */
static bool execute(struct cells *cells, struct child *child, struct screen *screen,
		    struct region *stack)
{
	unsigned long start, end;
	char path[64], text[1 << 14], *line;

	if (!child_tell(child) || !screen_wait(screen, "xpagemap watch %d (sh)", child->pid))
		return false;
	close(cells->pagemap);
	cells->pagemap = proc_pagemap_open(child->pid);
	snprintf(path, sizeof(path), "/proc/%d/maps", child->pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return false;
	line = strstr(text, "[stack]");
	while (line && line > text && line[-1] != '\n')
		line--;
	if (!line || sscanf(line, "%lx-%lx", &start, &end) != 2)
		return false;
	*stack = (struct region){
		.addr = (unsigned char *)start, .pages = (end - start) / PAGE_BYTES, .fd = -1,
	};
	return true;
}

/* Waits until the text is on the screen no longer. */
static bool goes(struct screen *screen, const char *text)
{
	time_t end = time(NULL) + PATIENCE;

	while (screen_find(screen, text))
		if (!screen_read(screen, 100) || time(NULL) > end)
			return false;
	return true;
}

/* The screen is that of the new program: its name, its mappings, its events. */
TEST_F(cli_watch_changes, executed_program_is_shown)
{
	struct screen *screen = &self->screen;
	struct child *child = &self->child;
	struct region stack;
	char address[32];

	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 --trace %d", child->pid));
	EXPECT_TRUE(screen_wait(screen, "xpagemap watch %d (cli_watch_chang)", child->pid));
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->alone, 0)) screen_show(screen);
	EXPECT_TRUE(screen_wait(screen, "S swap, private %d", ALONE_SWAPPED)) screen_show(screen);
	EXPECT_TRUE(screen_wait(screen, "W swap, shared %d", SHARED - 1)) screen_show(screen);
	ASSERT_TRUE(execute(&self->cells, child, screen, &stack)) screen_show(screen);
	EXPECT_TRUE(cells_find(screen, &self->cells, &stack, 0)) screen_show(screen);
	EXPECT_TRUE(goes(screen, "W swap, shared")) screen_show(screen);
	EXPECT_TRUE(goes(screen, "S swap, private")) screen_show(screen);
	snprintf(address, sizeof(address), "%lx ", (unsigned long)self->alone.addr);
	ASSERT_EQ(0, screen_type(screen, "g"));
	EXPECT_TRUE(goes(screen, address)) screen_show(screen);

	/* A fork of the new program is an event. */
	ASSERT_EQ(0, screen_type(screen, "3"));
	EXPECT_TRUE(screen_wait(screen, " events, rows")) screen_show(screen);
	ASSERT_EQ(9, write(child->out, "(:)\n(:)\n\n", 9));
	EXPECT_TRUE(screen_wait(screen, "clear fork-share    sh (%d)", child->pid))
		screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	EXPECT_TRUE(screen_is_restored(screen));
}

/* Hides the module, if there is one. */
static int hide_module(void)
{
	if (source_is_proc())
		return 0;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return umount2("/sys/kernel/debug", MNT_DETACH) ? -errno : 0;
}

/* stock: passes: the same is known, but for pages of a file that are not mapped */
TEST_F(cli_watch_changes, without_the_module_the_rest_is_shown)
{
	const char *why = source_is_proc() ? "the xpagemap module" : "debugfs is not mounted";
	struct screen *screen = &self->screen;
	struct region stack;

	self->cells.no_module = true;
	ASSERT_EQ(0, hide_module());
	ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", self->child.pid));
	EXPECT_TRUE(screen_wait(screen, "not known: exclusive, shared by fork, KSM: %s", why))
		screen_show(screen);
	EXPECT_EQ(source_is_proc(), !!screen_find(screen, "not known: swap-shared, cached: this"));
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->alone, 0)) screen_show(screen);
	EXPECT_TRUE(cells_find(screen, &self->cells, &self->shared, 0)) screen_show(screen);
	EXPECT_TRUE(screen_wait(screen, "S swap, private %d", ALONE_SWAPPED)) screen_show(screen);
	EXPECT_EQ(source_is_proc(), !screen_find(screen, "W swap, shared"));
	EXPECT_EQ(NULL, screen_find(screen, "E exclusive"));

	/* The other views say why they are empty. */
	for (const char *view = "2"; *view; view = *view == '2' ? "3" : "") {
		ASSERT_EQ(0, screen_type(screen, view));
		EXPECT_TRUE(screen_wait(screen, "not known: %s", why)) screen_show(screen);
		ASSERT_EQ(0, screen_type(screen, "1"));
		EXPECT_TRUE(screen_wait(screen, " a cell")) screen_show(screen);
	}
	ASSERT_TRUE(execute(&self->cells, &self->child, screen, &stack)) screen_show(screen);
	EXPECT_TRUE(cells_find(screen, &self->cells, &stack, 0)) screen_show(screen);
	EXPECT_TRUE(goes(screen, "S swap, private")) screen_show(screen);
	ASSERT_EQ(0, screen_type(screen, "q"));
	EXPECT_EQ(0, screen_end(screen));
	EXPECT_TRUE(screen_is_restored(screen));
}

/* <https://no-color.org>: any value but the empty one. Letters tell the same. */
TEST_F(cli_watch_changes, no_color_leaves_letters)
{
	struct screen *screen = &self->screen;

	for (int set = 1; set >= 0; set--) {
		ASSERT_EQ(0, setenv("NO_COLOR", set ? "1" : "", 1));
		self->cells.no_colour = set;
		ASSERT_EQ(0, screen_start(screen, "watch -s 0.2 %d", self->child.pid));
		EXPECT_TRUE(cells_find(screen, &self->cells, &self->alone, 0)) screen_show(screen);
		EXPECT_TRUE(cells_find(screen, &self->cells, &self->shared, 0))
			screen_show(screen);
		ASSERT_EQ(0, screen_type(screen, "3"));
		EXPECT_TRUE(screen_wait(screen, "is not traced")) screen_show(screen);
		ASSERT_EQ(0, screen_type(screen, "q"));
		EXPECT_EQ(0, screen_end(screen));
		EXPECT_TRUE(screen_is_restored(screen));
		EXPECT_EQ(!set, screen->coloured);
		screen_close(screen);
	}
}

TEST_HARNESS_MAIN
