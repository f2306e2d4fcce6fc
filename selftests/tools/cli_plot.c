// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap plot` of memory whose states are known, and the form of `xpagemap trace --format
 * perfetto`. Its events are compared with the log's by a unit test, tools/src/trace/export.rs.
 */
#include <stdlib.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		64
#define SWAPPED		32	/* the first of them */
#define UNMAPPED	16	/* the last of them: in the page cache */
#define MAPPED		(PAGES - SWAPPED - UNMAPPED)

FIXTURE(cli_plot) {
	struct region shared;
	struct cli out;
	struct control_state before;
	char path[64];
};

FIXTURE_SETUP(cli_plot)
{
	size_t i;

	self->before = control_state_now();
	snprintf(self->path, sizeof(self->path), "/tmp/cli_plot-%d.svg", getpid());
	ASSERT_EQ(0, region_map_memfd(&self->shared, PAGES));
	for (i = 0; i < SWAPPED; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, region_pageout(&self->shared));
	for (; i < PAGES; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, madvise(region_page(&self->shared, PAGES - UNMAPPED), UNMAPPED * PAGE_BYTES,
			     MADV_DONTNEED));
}

FIXTURE_TEARDOWN(cli_plot)
{
	unlink(self->path);
	cli_free(&self->out);
	region_free(&self->shared);
	EXPECT_TRUE(control_unchanged(self->before));
}

#define RUN(want, ...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, __VA_ARGS__)); \
	EXPECT_EQ(want, self->out.status) TH_LOG("%s", self->out.text); \
})

/*
 * Adds up the pages of a state in the titles of the cells between two addresses: lines of
 * `START-END: N state, N state, of N pages`.
 */
static long pages_of(const char *svg, unsigned long from, unsigned long to, const char *state)
{
	static const char begin[] = "\"><title>";
	long sum = 0;

	for (const char *at = strstr(svg, begin); at; at = strstr(at + 1, begin)) {
		const char *title = at + strlen(begin), *found;
		const char *end = strstr(title, " pages</title>");
		unsigned long start = strtoul(title, NULL, 16);

		if (!end || start < from || start >= to)
			continue;
		found = strstr(title, state);
		if (!found || found > end)
			continue;
		/* The number before it. */
		found--;
		while (found > title && found[-1] >= '0' && found[-1] <= '9')
			found--;
		sum += strtol(found, NULL, 10);
	}
	return sum;
}

TEST_F(cli_plot, cells_are_the_pages)
{
	unsigned long from = (unsigned long)self->shared.addr, to = from + PAGES * PAGE_BYTES;
	static char svg[1 << 20];

	RUN(0, "plot %d -o %s", getpid(), self->path);
	ASSERT_LT(0, read_text(self->path, svg, sizeof(svg)));
	EXPECT_EQ(SWAPPED, pages_of(svg, from, to, " swap, shared"));
	EXPECT_EQ(MAPPED, pages_of(svg, from, to, " file or shared"));
	EXPECT_EQ(UNMAPPED, pages_of(svg, from, to, " cached, not mapped"));
	EXPECT_EQ(0, pages_of(svg, from, to, " swap, private"));
	/* Everybody's private pages have an exclusive bit, or have it not. */
	EXPECT_EQ(0, pages_of(svg, 0, -1UL, " private,"));
	EXPECT_LT(0, pages_of(svg, 0, -1UL, " exclusive"));
	EXPECT_NE(NULL, strstr(svg, "[stack]"));
	/* The file's own pages: whether they are mapped is not the file's. */
	RUN(0, "plot %d:%d -o %s", getpid(), self->shared.fd, self->path);
	ASSERT_LT(0, read_text(self->path, svg, sizeof(svg)));
	EXPECT_EQ(SWAPPED, pages_of(svg, 0, -1UL, " swap, shared"));
	EXPECT_EQ(PAGES - SWAPPED, pages_of(svg, 0, -1UL, " file or shared"));
	RUN(1, "plot /proc/self/exe -o %s", self->path);
	EXPECT_TRUE(cli_says(&self->out, "are not known"));
}

/* Each instant has its site, and there are no more than the module has counted. */
TEST_F(cli_plot, perfetto_has_each_event)
{
	const char *at;
	long instants = 0, events;

	RUN(0, "trace --format perfetto -- /bin/true");
	for (at = self->out.text; (at = strstr(at, "\"ph\":\"i\"")); at++)
		instants++;
	EXPECT_LT(0, instants);
	events = 0;
	for (at = self->out.text; (at = strstr(at, "\"site\":\"")); at++)
		events++;
	EXPECT_EQ(events, instants);
	EXPECT_TRUE(cli_says(&self->out, "\"args\":{\"name\":\"true\"}"));
	RUN(0, "stats --json");
	EXPECT_TRUE(cli_says(&self->out, "\"schema\":\"xpagemap.stats/1\""));
	EXPECT_LT(instants, cli_number(&self->out, NULL, "events_seen") + 1);
}

TEST_HARNESS_MAIN
