// SPDX-License-Identifier: GPL-2.0
/*
 * breaker.ko sets or clears a page's PG_anon_exclusive wrongly, and the test restores it
 * before anything relies on it. PID/violations must have a certain line of that rule for
 * that page and for no other, and PID/events an event with the cause `other`.
 */
#include <fcntl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	5
#define BROKEN	2

FIXTURE(exclusive_broken) {
	struct region region, twin;	/* the same bytes in both */
	struct traced self, other;
	struct child child;
	struct ksm ksm;
	void *page;
};

/* Returns 1 if the only violation is a certain one of @rule at @addr, or a negative errno. */
static int only_violation(const struct exclusive *ex, const void *addr, const char *rule)
{
	char path[64], text[4096], line[128];
	const char *at;
	long len;
	int lines = 0;

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/violations", ex->pid);
	len = read_text(path, text, sizeof(text));
	if (len < 0)
		return len;
	snprintf(line, sizeof(line), "%lx %s certain:", (unsigned long)addr, rule);
	for (at = text; *at; at = strchr(at, '\n') + 1)
		lines++;
	return lines == 1 && !strncmp(text, line, strlen(line)) ? 1 : -EPROTO;
}

FIXTURE_SETUP(exclusive_broken)
{
	ASSERT_EQ(0, breaker_load());
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->twin, PAGES));
	self->twin.id = self->region.id;
	region_fill(&self->region);
	region_fill(&self->twin);
	self->page = region_page(&self->region, BROKEN);
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, violations_of(&self->self.ex));
}

FIXTURE_TEARDOWN(exclusive_broken)
{
	EXPECT_EQ(0, ksm_stop(&self->ksm));
	EXPECT_EQ(0, violations_of(&self->self.ex));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
	region_free(&self->twin);
	EXPECT_EQ(0, breaker_unload());
}

TEST_F(exclusive_broken, writable_page_without_the_bit)
{
	ASSERT_EQ(0, breaker_set(getpid(), self->page, false));
	EXPECT_EQ(1, only_violation(&self->self.ex, self->page, "writable-not-exclusive"));
	EXPECT_EQ(1, summary_value(&self->self.ex, self->region.addr, "violations"));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, true));
}

TEST_F(exclusive_broken, exclusive_page_of_two_processes)
{
	ASSERT_EQ(0, exclusive_child_idle(&self->other.ex, &self->child));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, true));
	EXPECT_EQ(1, only_violation(&self->self.ex, self->page, "exclusive-mapped-twice"));
	EXPECT_EQ(1, only_violation(&self->other.ex, self->page, "exclusive-mapped-twice"));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, false));
	EXPECT_EQ(0, violations_of(&self->other.ex));
}

TEST_F(exclusive_broken, ksm_page_with_the_bit)
{
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->twin.addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, ksm_start(&self->ksm) ?: ksm_wait(2));
	ASSERT_EQ(0, ksm_pause());
	ASSERT_EQ(EX_KSM, exclusive_at(&self->self.ex, self->page) & EX_KSM);
	ASSERT_EQ(0, breaker_set(getpid(), self->page, true));
	/* The page is mapped at two addresses: two lines. */
	EXPECT_EQ(2, violations_of(&self->self.ex));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, false));
}

/* The bit is changed by a function that is in no table of causes. */
TEST_F(exclusive_broken, cause_is_other)
{
	struct event other = {
		.cause = CAUSE_OTHER,
		.pid = getpid(),
		.addr = self->page,
		.pfn = frame_at(&self->self.ex, self->page),
	};

	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, false));
	ASSERT_EQ(0, breaker_set(getpid(), self->page, true));
	ASSERT_EQ(0, traced_end(&self->self));
	other.op = OP_CLEAR;
	EXPECT_EQ(1, events_count(&self->self.log, &other));
	other.op = OP_SET;
	EXPECT_EQ(1, events_count(&self->self.log, &other));
}

TEST_HARNESS_MAIN
