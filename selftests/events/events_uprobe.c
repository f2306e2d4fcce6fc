// SPDX-License-Identifier: GPL-2.0
/*
 * A uprobe's breakpoint is in a copy of the file's page. The copy and its freeing have
 * events; writes into the copy have none.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	8
#define PROBED	3
#define TEXT	"/run/xpagemap-text"
#define PROBES	"/sys/kernel/tracing/uprobe_events"
#define ENABLE	"/sys/kernel/tracing/events/xpagemap_test/%s/enable"

FIXTURE(events_uprobe) {
	struct region file, view, page;
	struct traced self;
	__u64 copy;
};

static int probe_add(const char *name, unsigned long offset)
{
	return write_text(PROBES, "p:xpagemap_test/%s " TEXT ":0x%lx", name, offset);
}

static int probe_enable(const char *name, bool on)
{
	char path[128];

	snprintf(path, sizeof(path), ENABLE, name);
	return write_text(path, "%d", on);
}

FIXTURE_SETUP(events_uprobe)
{
	int fd = open(TEXT, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, region_map(&self->file, NULL, PAGES, MAP_SHARED, fd, 0));
	memset(self->file.addr, 0x90, PAGES * PAGE_BYTES);
	ASSERT_EQ(0, region_map_view(&self->view, &self->file, 0, PAGES, MAP_PRIVATE));
	ASSERT_EQ(0, mprotect(self->view.addr, PAGES * PAGE_BYTES, PROT_READ | PROT_EXEC));
	ASSERT_EQ(0, madvise(self->view.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	self->page = region_part(&self->view, PROBED, 1);
	ASSERT_EQ(0, probe_add("one", PROBED * PAGE_BYTES));
	ASSERT_EQ(0, probe_add("two", PROBED * PAGE_BYTES + 64));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
}

FIXTURE_TEARDOWN(events_uprobe)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	probe_enable("one", false);
	probe_enable("two", false);
	write_text(PROBES, "-:xpagemap_test/one");
	write_text(PROBES, "-:xpagemap_test/two");
	region_unmap(&self->view);
	region_free(&self->file);
	unlink(TEXT);
}

TEST_F(events_uprobe, breakpoint_is_in_a_copy)
{
	ASSERT_EQ(0, probe_enable("one", true));
	EXPECT_EQ(0xcc, *self->page.addr);
	self->copy = frame_at(&self->self.ex, self->page.addr);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->page,
				 { OP_SET, CAUSE_COW_COPY, &self->copy, NULL }));
	self->view.pages = PROBED;
	EXPECT_EQ(PROBED, steps_none(&self->self.log, &self->view));
	self->view.pages = PAGES;
}

TEST_F(events_uprobe, second_breakpoint_changes_nothing)
{
	ASSERT_EQ(0, probe_enable("one", true));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, probe_enable("two", true));
	EXPECT_EQ(0xcc, self->page.addr[64]);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, steps_none(&self->self.log, &self->page));
}

/*
 * After the last breakpoint is removed, the kernel frees the copy and maps the file's page,
 * unless something else holds a reference to the copy. Then the copy stays.
 */
TEST_F(events_uprobe, copy_is_freed_with_the_last_breakpoint_or_kept)
{
	ASSERT_EQ(0, probe_enable("one", true));
	self->copy = frame_at(&self->self.ex, self->page.addr);
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, probe_enable("one", false));
	EXPECT_EQ(0x90, *self->page.addr);
	ASSERT_EQ(0, traced_end(&self->self));
	if (self->copy == frame_at(&self->self.ex, self->page.addr)) {
		ksft_print_msg("the copy is kept\n");
		EXPECT_NE(0, exclusive_at(&self->self.ex, self->page.addr) & EX_EXCLUSIVE);
		EXPECT_EQ(1, steps_none(&self->self.log, &self->page));
		return;
	}
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->page,
				 { OP_CLEAR, CAUSE_UNMAP, &self->copy, NULL }));
}

TEST_HARNESS_MAIN
