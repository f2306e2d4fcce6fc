// SPDX-License-Identifier: GPL-2.0
/* "1 keep" and "2 keep": the log outlives the address space. */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	16

FIXTURE(events_keep) {
	struct region region;
	struct traced other;
	struct child child;
};

FIXTURE_SETUP(events_keep)
{
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, child_start(&self->child, child_fill_when_told, &self->region));
	ASSERT_EQ(0, exclusive_open(&self->other.ex, self->child.pid));
}

FIXTURE_TEARDOWN(events_keep)
{
	child_kill(&self->child);
	EXPECT_EQ(0, traced_close(&self->other));
	region_free(&self->region);
}

/* Pages of the region that were copied, and unmapped when the child was killed. */
static size_t count_lives(struct traced *t, const struct region *r, const struct actor *child)
{
	return STEPS_TAKEN(&t->log, r, { OP_SET, CAUSE_COW_COPY, NULL, child },
			   { OP_CLEAR, CAUSE_UNMAP, NULL, child });
}

TEST_F(events_keep, log_of_a_process_that_was_killed)
{
	struct actor child = actor_of(self->child.pid);

	ASSERT_EQ(0, events_start_mode(self->child.pid, "1 keep"));
	ASSERT_TRUE(child_ask(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, events_read(&self->other.log, child.pid));
	EXPECT_TRUE(self->other.log.gone);
	EXPECT_FALSE(self->other.log.with_ip);
	EXPECT_EQ(PAGES, count_lives(&self->other, &self->region, &child));
	/* Stopped, it stays. */
	ASSERT_EQ(0, events_stop(child.pid));
	ASSERT_EQ(0, events_read(&self->other.log, child.pid));
	EXPECT_TRUE(self->other.log.gone);
	EXPECT_EQ(PAGES, count_lives(&self->other, &self->region, &child));
}

TEST_F(events_keep, log_with_the_column_ip)
{
	const struct event *const *e;

	ASSERT_EQ(0, events_start_mode(self->child.pid, "2 keep"));
	ASSERT_TRUE(child_ask(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, events_read(&self->other.log, self->other.ex.pid));
	EXPECT_TRUE(self->other.log.with_ip);
	ASSERT_EQ(2, events_at(&self->other.log, self->region.addr, &e));
	EXPECT_NE(0, e[0]->ip);
}

TEST_F(events_keep, not_kept_unless_asked_for)
{
	ASSERT_EQ(0, events_start(self->child.pid));
	ASSERT_TRUE(child_ask(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, events_read(&self->other.log, self->other.ex.pid));
	EXPECT_TRUE(self->other.log.gone);
	EXPECT_EQ(0, self->other.log.count);
}

TEST_HARNESS_MAIN
