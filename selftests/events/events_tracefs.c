// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoint anon_exclusive/page_anon_exclusive without the module, in a tracefs
 * instance of the test.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		32
#define INSTANCE	"/sys/kernel/tracing/instances/xpagemap-test"
#define EVENT		"/events/anon_exclusive/page_anon_exclusive"
#define TAG		"page_anon_exclusive: "
#define FORMAT		"/sys/kernel/tracing" EVENT "/format"

/* Fields of the tracepoint. */
struct change {
	unsigned long long pfn;
	unsigned int order;
	char op[8];
	int old, pinned;
};

FIXTURE(events_tracefs) {
	struct region region;
	struct child child;
	struct pin pin;
	int proc;
	__u64 frames[PAGES];
};

static void note_frames(int proc, const struct region *r, __u64 *frames)
{
	size_t i;

	memset(frames, 0, r->pages * sizeof(*frames));
	pagemap_read(proc, r->addr, frames, r->pages);
	for (i = 0; i < r->pages; i++)
		frames[i] = frames[i] & PM_PRESENT ? frames[i] & PM_FRAME : 0;
}

/* Traces this process only. */
FIXTURE_SETUP(events_tracefs)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, mkdir(INSTANCE, 0700)) TH_LOG("%m");
	ASSERT_EQ(0, access(INSTANCE EVENT, F_OK)) TH_LOG("the kernel has no such tracepoint");
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/filter", "common_pid == %d", getpid()));
	ASSERT_EQ(0, write_text(INSTANCE "/tracing_on", "1"));
	self->proc = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->proc);
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	/* Otherwise frames in CPU batches are freed and used again while tracing is on. */
	region_drain_batches();
}

FIXTURE_TEARDOWN_PARENT(events_tracefs)
{
	write_text(INSTANCE EVENT "/enable", "0");
	write_text(INSTANCE EVENT "/trigger", "!stacktrace");
	EXPECT_EQ(0, rmdir(INSTANCE)) TH_LOG("%m");
}

/* The trace, malloc()ed, or NULL with errno. */
static char *read_trace(void)
{
	int fd = open(INSTANCE "/trace", O_RDONLY | O_CLOEXEC);
	char *text;
	size_t len;

	if (fd < 0)
		return NULL;
	text = read_to_end(fd, 65536, &len);
	close(fd);
	return text;
}

static bool parse_change(const char *at, struct change *c)
{
	char mapping[32], ip[128];
	int refcount, mapcount, end = 0;
	unsigned long index;

	at = strstr(at, TAG);
	if (!at || sscanf(at, TAG "pfn=0x%llx order=%u op=%7s old=%d %n", &c->pfn, &c->order,
			  c->op, &c->old, &end) != 4)
		return false;
	at += end;
	if (sscanf(at, "refcount=%d mapcount=%d pinned=%d %n", &refcount, &mapcount, &c->pinned,
		   &end) != 3)
		return false;
	return sscanf(at + end, "mapping=%31s index=0x%lx ip=%127s", mapping, &index, ip) == 3;
}

/*
 * Number of frames with exactly one change, which has these fields. "set" is counted from
 * a frame's last "clear" on: this process may have freed the page of another one, drained
 * from its CPU's batch, and been given that frame.
 */
static size_t count_changes(char *text, const __u64 *frames, const char *op, int old, int pinned)
{
	size_t found[PAGES] = {}, wrong[PAGES] = {}, i, count = 0;
	char *line, *save = NULL;
	struct change c;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!parse_change(line, &c))
			continue;
		for (i = 0; i < PAGES; i++) {
			if (c.pfn != frames[i])
				continue;
			if (!strcmp(op, "set") && !strcmp(c.op, "clear")) {
				found[i] = 0;
				wrong[i] = 0;
			} else if (!strcmp(c.op, op) && c.old == old &&
				   c.pinned == pinned && !c.order) {
				found[i]++;
			} else {
				wrong[i]++;
			}
		}
	}
	for (i = 0; i < PAGES; i++)
		count += found[i] == 1 && !wrong[i];
	return count;
}

TEST_F(events_tracefs, format_has_the_fields)
{
	static const char *const fields[] = {
		"unsigned long pfn;", "unsigned int order;", " exclusive;", " old;",
		"int refcount;", "int mapcount;", " pinned;", " mapping;",
		"unsigned long index;", "unsigned long ip;",
	};
	char text[8192];
	size_t i;

	ASSERT_LT(0, read_text(FORMAT, text, sizeof(text)));
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		EXPECT_NE(NULL, strstr(text, fields[i])) TH_LOG("%s", fields[i]);
}

TEST_F(events_tracefs, new_pages_are_set)
{
	char *text;

	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "1"));
	region_fill(&self->region);
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "0"));
	note_frames(self->proc, &self->region, self->frames);
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_EQ(PAGES, count_changes(text, self->frames, "set", 0, 0));
	free(text);
}

TEST_F(events_tracefs, fork_clears_what_was_set)
{
	char *text;

	region_fill(&self->region);
	note_frames(self->proc, &self->region, self->frames);
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "1"));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "0"));
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_EQ(PAGES, count_changes(text, self->frames, "clear", 1, 0));
	free(text);
	child_kill(&self->child);
}

/* The bit of the unshared copy is set before the copy is pinned. */
TEST_F(events_tracefs, pin_sets_the_copy)
{
	char *text;

	region_fill(&self->region);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "1"));
	ASSERT_EQ(0, pin_take(&self->pin, self->region.addr, PAGES, 0));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "0"));
	note_frames(self->proc, &self->region, self->frames);
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_EQ(PAGES, count_changes(text, self->frames, "set", 0, 0));
	free(text);
	EXPECT_EQ(0, pin_release(&self->pin));
	child_kill(&self->child);
}

TEST_F(events_tracefs, freed_pages_are_cleared)
{
	char *text;

	region_fill(&self->region);
	region_drain_batches();
	note_frames(self->proc, &self->region, self->frames);
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "1"));
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "0"));
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_EQ(PAGES, count_changes(text, self->frames, "clear", 1, 0));
	free(text);
}

TEST_F(events_tracefs, nothing_while_it_is_not_enabled)
{
	struct change c;
	char *text;

	region_fill(&self->region);
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_FALSE(parse_change(text, &c));
	free(text);
}

/* The stack of a change by fork has kernel_clone(). */
TEST_F(events_tracefs, stack_tells_why)
{
	char *text;

	region_fill(&self->region);
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/trigger", "stacktrace"));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "1"));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/enable", "0"));
	ASSERT_EQ(0, write_text(INSTANCE EVENT "/trigger", "!stacktrace"));
	text = read_trace();
	ASSERT_NE(NULL, text);
	EXPECT_NE(NULL, strstr(text, "=> kernel_clone"));
	free(text);
	child_kill(&self->child);
}

TEST_HARNESS_MAIN
