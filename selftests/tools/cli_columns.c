// SPDX-License-Identifier: GPL-2.0
/*
 * `-o COLUMNS` of the commands that print tables: numbers in the columns by cachestat(2),
 * mincore(2) and the slots of /proc/PID/pagemap, and the fields of the JSON.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		300
#define SWAPPED		200	/* the first of them */
#define PRIVATE		16

FIXTURE(cli_columns) {
	struct region shared, private;
	struct cli out;
	struct control_state before;
	char range[40], file[40];
};

FIXTURE_SETUP(cli_columns)
{
	unsigned long start;
	size_t i;

	self->before = control_state_now();
	ASSERT_EQ(0, region_map_memfd(&self->shared, PAGES));
	for (i = 0; i < SWAPPED; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, region_pageout(&self->shared));
	for (; i < PAGES; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(SWAPPED, region_count(&self->shared, PAGE_SWAPPED));
	ASSERT_EQ(0, region_map_filled(&self->private, PRIVATE));
	start = (unsigned long)self->shared.addr;
	snprintf(self->range, sizeof(self->range), "%lx-%lx", start, start + PAGES * PAGE_BYTES);
	snprintf(self->file, sizeof(self->file), "%d:%d", getpid(), self->shared.fd);
}

FIXTURE_TEARDOWN(cli_columns)
{
	cli_free(&self->out);
	region_free(&self->shared);
	region_free(&self->private);
	if (!source_is_proc())
		EXPECT_TRUE(control_unchanged(self->before));
}

/* Each run of spaces becomes one, those at the beginning of a line go. */
static void squeeze(struct cli *cli)
{
	char *to = cli->text, *from;

	for (from = cli->text; *from; from++) {
		if (*from == ' ' && (to == cli->text || to[-1] == ' ' || to[-1] == '\n'))
			continue;
		*to++ = *from;
	}
	*to = '\0';
	cli->len = to - cli->text;
}

#define RUN(want, ...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, __VA_ARGS__)); \
	EXPECT_EQ(want, self->out.status) TH_LOG("%s", self->out.text); \
	squeeze(&self->out); \
})

#define SAYS(...) ({ \
	EXPECT_TRUE(cli_says(&self->out, __VA_ARGS__)) TH_LOG("%s", self->out.text); \
})

/* stock: passes: smaps tells the number of swapped pages */
TEST_F(cli_columns, summary)
{
	RUN(0, "summary -o swap-shared,resident,mapping %d", getpid());
	SAYS("\nswap-shared resident mapping\n");
	SAYS("\n%d %d %s\n", SWAPPED, PAGES - SWAPPED, self->range);
	EXPECT_FALSE(cli_says(&self->out, "pages"));
	RUN(0, "summary -o +large,pid %d", getpid());
	SAYS("\nmapping pages resident ");
	SAYS(" perms name large pid\n");
	RUN(0, "summary --total -o pages,PID %d", getpid());
	SAYS("pages pid\n");
	SAYS(" %d\n", getpid());
	RUN(0, "summary --json -o mapping,swap-shared %d", getpid());
	EXPECT_EQ(SWAPPED, cli_mapping(&self->out, self->shared.addr, "swap_shared"));
	EXPECT_FALSE(cli_says(&self->out, "\"resident\""));
}

TEST_F(cli_columns, show)
{
	long pages, sum = 0, unswapped = 0;
	struct source src;
	__u64 entries[PAGES];
	char *line, slot[40];
	int words;
	size_t i;

	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(PAGES, pagemap_read(src.fd, self->shared.addr, entries, PAGES));
	EXPECT_EQ(0, source_close(&src));
	RUN(0, "show -o pages,slot,address %d %s", getpid(), self->range);
	EXPECT_EQ(self->out.text, strstr(self->out.text, "pages slot address\n"));
	SAYS("\n%d total\n", PAGES);
	for (i = 0; i < SWAPPED; i++) {
		if (i && pm_swap_offset(entries[i]) == pm_swap_offset(entries[i - 1]) + 1)
			continue;
		snprintf(slot, sizeof(slot), "%u:%llu", pm_swap_type(entries[i]),
			 pm_swap_offset(entries[i]));
		SAYS(" %s %lx\n", slot, (unsigned long)region_page(&self->shared, i));
	}
	for (line = strchr(self->out.text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		if (strstr(line, " total\n") == strchr(line + 1, ' '))
			break;
		/* The heading of the mapping has its addresses first. */
		if (!strncmp(line + 1, self->range, strlen(self->range)))
			continue;
		words = sscanf(line + 1, "%ld %39s", &pages, slot);
		ASSERT_EQ(2, words);
		if (strchr(slot, ':'))
			sum += pages;
		else
			unswapped += pages;
	}
	EXPECT_EQ(region_count(&self->shared, PAGE_SWAPPED), sum);
	EXPECT_EQ(PAGES - SWAPPED, unswapped);
}

TEST_F(cli_columns, show_in_json_and_the_exclusive_bit)
{
	unsigned long at = (unsigned long)self->private.addr;

	RUN(0, "show --json -o address,slot %d %s", getpid(), self->range);
	SAYS("\"address\":\"%lx\"", (unsigned long)self->shared.addr);
	SAYS("\"slot\":{");
	EXPECT_FALSE(cli_says(&self->out, "\"flags\"")) TH_LOG("%s", self->out.text);
	/* The column brings its file along. */
	RUN(0, "show -o +exclusive %d %lx-%lx", getpid(), at, at + PRIVATE * PAGE_BYTES);
	SAYS("address pages proc xpagemap differs exclusive\n");
	SAYS("exclusive writable");
}

/* stock: passes: cachestat(2) tells the number of pages */
TEST_F(cli_columns, file)
{
	RUN(0, "file -o state,start %s", self->file);
	SAYS("state start\n");
	if (!source_is_proc()) {
		SAYS("\nswapped 0\n");
		SAYS("\ncached %lx\n", SWAPPED * PAGE_BYTES);
	}
	SAYS("swapped %d ", SWAPPED);
	RUN(0, "file --json -o pages %s", self->file);
	EXPECT_FALSE(cli_says(&self->out, "\"start\""));
	EXPECT_EQ(SWAPPED, cli_number(&self->out, "\"totals\"", "swapped"));
}

TEST_F(cli_columns, swap_and_its_owners)
{
	struct source src;
	struct stat st;
	char id[40];
	__u64 entry;

	ASSERT_EQ(0, fstat(self->shared.fd, &st));
	snprintf(id, sizeof(id), "%u:%u:%lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
	RUN(0, "swap --by file --top 0 -o alone,mapped-by,id");
	SAYS("\nalone mapped-by id\n");
	SAYS("\n%d %d %s\n", SWAPPED, getpid(), id);
	RUN(0, "swap --json -o id,alone");
	SAYS("\"id\":\"%s\"", id);
	EXPECT_FALSE(cli_says(&self->out, "\"pswap\""));
	ASSERT_EQ(PRIVATE, region_pageout(&self->private) ?: PRIVATE);
	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(1, pagemap_read(src.proc, self->private.addr, &entry, 1));
	EXPECT_EQ(0, source_close(&src));
	ASSERT_TRUE(pm_is_swap(entry));
	RUN(0, "swap owner -o address,pid,slot %u %llu", pm_swap_type(entry),
	    pm_swap_offset(entry));
	SAYS("address pid slot\n%lx %d %llu\n", (unsigned long)self->private.addr, getpid(),
	     pm_swap_offset(entry));
}

TEST_F(cli_columns, diff)
{
	unsigned long start = (unsigned long)self->private.addr;
	char before[64], after[64];

	snprintf(before, sizeof(before), "/tmp/cli_columns-%d.before", getpid());
	snprintf(after, sizeof(after), "/tmp/cli_columns-%d.after", getpid());
	RUN(0, "show --json --pages %d %lx-%lx > %s", getpid(), start,
	    start + PRIVATE * PAGE_BYTES, before);
	ASSERT_EQ(PRIVATE, region_pageout(&self->private) ?: PRIVATE);
	RUN(0, "show --json --pages %d %lx-%lx > %s", getpid(), start,
	    start + PRIVATE * PAGE_BYTES, after);
	RUN(0, "diff -o change,address %s %s", before, after);
	SAYS("change address\nswapped-out %lx\n", start);
	unlink(before);
	unlink(after);
}

/* stock: passes: before anything is read */
TEST_F(cli_columns, unknown_column_is_told_the_known_ones)
{
	RUN(2, "file -o size %s", self->file);
	SAYS("unknown column \"size\"; the columns are start, end, pages, state, slot");
}

TEST_HARNESS_MAIN
