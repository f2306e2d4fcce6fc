// SPDX-License-Identifier: GPL-2.0
/* Private hugetlb memory: a huge page has one bit, that of its first page. */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		PMD_PAGES
#define POOL_PAGES	4

FIXTURE(events_hugetlb) {
	struct region region, head, tails;
	struct traced self, other;
	struct child child;
	struct setting pool;
	struct pin pin;
	__u64 frame, copy;
};

FIXTURE_SETUP(events_hugetlb)
{
	ASSERT_EQ(0, hugetlb_reserve(&self->pool, POOL_PAGES));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, hugetlb_map(&self->region, PAGES));
	self->head = region_part(&self->region, 0, 1);
	self->tails = region_part(&self->region, 1, PAGES - 1);
	self->frame = frame_at(&self->self.ex, self->head.addr);
}

FIXTURE_TEARDOWN(events_hugetlb)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_EQ(PAGES - 1, steps_none(&self->self.log, &self->tails));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
	EXPECT_EQ(0, setting_restore(&self->pool));
}

/* The only event of the page since tracing was started. */
static void expect_step(struct __test_metadata *_metadata, FIXTURE_DATA(events_hugetlb) * self,
			enum event_op op, enum cause cause, __u64 frame)
{
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head, { op, cause, &frame, NULL }));
}

TEST_F(events_hugetlb, new_page)
{
	expect_step(_metadata, self, OP_SET, CAUSE_HUGETLB, self->frame);
}

TEST_F(events_hugetlb, fork_shares)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, child_start_idle(&self->child));
	expect_step(_metadata, self, OP_CLEAR, CAUSE_HUGETLB, self->frame);
}

TEST_F(events_hugetlb, fork_copies_a_pinned_page_early)
{
	ASSERT_EQ(0, pin_take(&self->pin, region_page(&self->region, 5), 1, PIN_WRITE));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, exclusive_child_idle(&self->other.ex, &self->child));
	self->copy = frame_at(&self->other.ex, self->head.addr);
	EXPECT_NE(self->frame, self->copy);
	expect_step(_metadata, self, OP_SET, CAUSE_HUGETLB, self->copy);
}

TEST_F(events_hugetlb, parent_that_writes_gets_a_copy)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	self->copy = frame_at(&self->self.ex, self->head.addr);
	EXPECT_NE(self->frame, self->copy);
	expect_step(_metadata, self, OP_SET, CAUSE_HUGETLB, self->copy);
}

TEST_F(events_hugetlb, last_owner_reuses_the_page_when_it_writes)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&self->region);
	expect_step(_metadata, self, OP_SET, CAUSE_HUGETLB, self->frame);
}

TEST_F(events_hugetlb, freed)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, madvise(self->region.addr, PMD_BYTES, MADV_DONTNEED));
	expect_step(_metadata, self, OP_CLEAR, CAUSE_UNMAP, self->frame);
}

/* A pin for reading unshares a shared page, as it does small pages. */
TEST_F(events_hugetlb, pin_unshares)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, pin_take(&self->pin, region_page(&self->region, 5), 1, 0));
	self->copy = frame_at(&self->self.ex, self->head.addr);
	EXPECT_NE(self->frame, self->copy);
	expect_step(_metadata, self, OP_SET, CAUSE_UNSHARE, self->copy);
}

TEST_F(events_hugetlb, copied_in_by_userfaultfd)
{
	unsigned char *from = malloc(PMD_BYTES);
	struct region to;
	int uffd;

	ASSERT_NE(NULL, from);
	memset(from, 1, PMD_BYTES);
	ASSERT_EQ(0, region_map(&to, NULL, PAGES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
				-1, 0));
	uffd = uffd_watch(&to);
	ASSERT_LE(0, uffd);
	ASSERT_EQ((long)PAGES, uffd_copy(uffd, to.addr, from, PAGES));
	self->frame = frame_at(&self->self.ex, to.addr);
	ASSERT_EQ(0, traced_end(&self->self));
	self->tails = region_part(&to, 1, PAGES - 1);
	to.pages = 1;
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &to,
				 { OP_SET, CAUSE_HUGETLB, &self->frame, NULL }));
	to.pages = PAGES;
	close(uffd);
	region_free(&to);
	free(from);
}

/* Migration has the same events as for other pages. */
TEST_F(events_hugetlb, migrated)
{
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, migrate_page(&self->self.ex, self->head.addr));
	self->copy = frame_at(&self->self.ex, self->head.addr);
	ASSERT_NE(self->frame, self->copy);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(1, STEPS_TAKEN(&self->self.log, &self->head,
				 { OP_CLEAR, CAUSE_MIGRATE_START, &self->frame, NULL },
				 { OP_SET, CAUSE_MIGRATE_END, &self->copy, NULL }));
}

TEST_HARNESS_MAIN
