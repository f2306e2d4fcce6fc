// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap map`: each slot in the picture is that of the page which /proc/PID/pagemap, or
 * PID/pagemap for files, has there.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define SHARED	96	/* pages, swapped out before the fork */
#define ALONE	160	/* after it */
#define FILES	200
#define CELL	8
#define SVG_BYTES (8 << 20)
#define TRIES	30
#define PAUSE_US 100000

FIXTURE(cli_swap_map) {
	struct region shared, alone, file;
	struct child child;
	struct source src;
	struct setting cluster;
	struct cli out;
	char svg[64];
};

FIXTURE_SETUP(cli_swap_map)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "3"));
	ASSERT_EQ(0, swapdev_restart());
	snprintf(self->svg, sizeof(self->svg), "/run/xpagemap-map-%d.svg", getpid());
	ASSERT_EQ(0, region_map_filled(&self->shared, SHARED));
	ASSERT_EQ(0, region_pageout(&self->shared));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, region_map_filled(&self->alone, ALONE));
	ASSERT_EQ(0, region_pageout(&self->alone));
	ASSERT_EQ(0, region_map_memfd(&self->file, FILES));
	region_fill(&self->file);
	ASSERT_EQ(0, region_pageout(&self->file));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_swap_map)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	unlink(self->svg);
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* The slot of a page, or -1. */
static long long slot_of(const struct source *src, const struct region *r, size_t i)
{
	__u64 entry;

	if (pagemap_read(src->fd, region_page(r, i), &entry, 1) != 1 || !(entry & PM_SWAP))
		return -1;
	return pm_swap_offset(entry);
}

/* The letter of a slot in a picture with a cell for each, or 0. */
static char letter_of(const struct cli *out, long long slot)
{
	const char *line = out->text;
	long long first;
	int length, at;

	for (; line && *line; line = strchr(line, '\n'), line += !!line) {
		if (sscanf(line, "%lld%n", &first, &at) != 1)
			continue;
		/* Two spaces come before the cells. */
		length = strcspn(line, "\n") - at - 2;
		if (slot >= first && slot < first + length)
			return line[at + 2 + slot - first];
	}
	return 0;
}

/* Number of pages of a region whose letter is another one. */
static size_t other_letters(const struct cli *out, const struct source *src,
			    const struct region *r, char letter)
{
	size_t i, others = 0;

	for (i = 0; i < r->pages; i++)
		others += letter_of(out, slot_of(src, r, i)) != letter;
	return others;
}

TEST_F(cli_swap_map, letters_of_kinds)
{
	ASSERT_EQ(0, cli_run(&self->out, "swap map %s --cell 1", getenv("XPAGEMAP_SWAPDEV")));
	EXPECT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
	EXPECT_EQ(0, other_letters(&self->out, &self->src, &self->alone, 'A'));
	EXPECT_EQ(0, other_letters(&self->out, &self->src, &self->shared, 'S'));
	EXPECT_EQ(0, other_letters(&self->out, &self->src, &self->file, 'F'));
	/* The header is no page; lines without used slots are left out. */
	EXPECT_NE(NULL, strchr(".", letter_of(&self->out, 0)));
	/* This is no terminal: no colours. */
	EXPECT_EQ(NULL, strchr(self->out.text, '\033'));
}

TEST_F(cli_swap_map, letters_of_owners)
{
	char key[64];
	const char *legend;

	ASSERT_EQ(0, cli_run(&self->out, "swap map 0 --by owner --cell 1 --svg %s", self->svg));
	EXPECT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
	snprintf(key, sizeof(key), "  process %d (", getpid());
	legend = strstr(self->out.text, key);
	ASSERT_NE(NULL, legend);
	EXPECT_EQ(0, other_letters(&self->out, &self->src, &self->alone, legend[-1] - 'a' + 'A'));
	cli_free(&self->out);

	self->out.text = calloc(1, SVG_BYTES);
	ASSERT_NE(NULL, self->out.text);
	ASSERT_LT(0, read_text(self->svg, self->out.text, SVG_BYTES));
	EXPECT_TRUE(cli_says(&self->out, "<svg "));
	EXPECT_TRUE(cli_says(&self->out, "process %d (cli_swap_map)</text>", getpid()));
}

/* Slots of this test in the cell from @first on. */
static long mine(const struct source *src, const struct region *r, long long first)
{
	long count = 0;
	long long slot;
	size_t i;

	for (i = 0; i < r->pages; i++) {
		slot = slot_of(src, r, i);
		count += slot >= first && slot < first + CELL;
	}
	return count;
}

TEST_F(cli_swap_map, cells_are_those_of_the_page_tables)
{
	long long used, sum, windows, first;
	char key[64], *cell;
	int tries;
	size_t i;

	/* Other processes may swap meanwhile, or leave pages in the swap cache. */
	for (tries = 0; tries < TRIES; tries++) {
		cli_free(&self->out);
		ASSERT_EQ(0, cli_run(&self->out, "swap map 0 --json --cell %d", CELL));
		ASSERT_EQ(0, self->out.status);
		sum = 0;
		windows = 0;
		for (cell = self->out.text; (cell = strstr(cell, "\"used\":")); cell++) {
			sum += atoll(cell + strlen("\"used\":"));
			windows++;
		}
		used = swaps_used(getenv("XPAGEMAP_SWAPDEV"));
		if (sum == used)
			break;
		usleep(PAUSE_US);
	}
	EXPECT_EQ(used, sum);
	EXPECT_EQ(CELL, cli_number(&self->out, NULL, "window"));
	EXPECT_EQ(windows, cli_number(&self->out, NULL, "windows"));
	for (i = 0; i < ALONE; i++) {
		first = slot_of(&self->src, &self->alone, i) / CELL * CELL;
		snprintf(key, sizeof(key), "{\"slot\":%lld,", first);
		EXPECT_LE(mine(&self->src, &self->alone, first),
			  cli_number(&self->out, key, "anonymous"));
		EXPECT_LE(mine(&self->src, &self->shared, first),
			  cli_number(&self->out, key, "shared"));
		EXPECT_LE(mine(&self->src, &self->file, first),
			  cli_number(&self->out, key, "files"));
	}
}

TEST_HARNESS_MAIN
