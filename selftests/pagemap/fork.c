// SPDX-License-Identifier: GPL-2.0
/* Shared memory in a forked child that never touched it and has no page tables. */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 700

FIXTURE(fork) {
	struct region region;
	struct child child;
	struct source src;	/* the child's pagemap */
};

FIXTURE_SETUP(fork)
{
	ASSERT_EQ(0, region_map_shared_anon(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, source_open(&self->src, self->child.pid));
}

FIXTURE_TEARDOWN(fork)
{
	EXPECT_EQ(0, source_close(&self->src));
	child_kill(&self->child);
	region_free(&self->region);
}

/* stock: nothing */
TEST_F(fork, child_that_touched_nothing)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "child");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(fork, child_sees_nothing_of_resident_pages)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

/* The parent touches every second page: in the child, the others stay located. */
TEST_F(fork, parent_takes_half_back)
{
	struct survey s;
	size_t i;

	ASSERT_EQ(0, region_pageout(&self->region));
	for (i = 0; i < PAGES; i += 2)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, i),
					    self->region.id, i));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES / 2, s.located);
	EXPECT_EQ(PAGES / 2, s.nothing);
	EXPECT_EQ(0, s.mistaken);
}

/* Parent and child report the same slot for the same page. */
TEST_F(fork, same_places_as_the_parent)
{
	__u64 own[PAGES], other[PAGES];
	struct source parent;
	size_t i, differing = 0;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, source_open(&parent, getpid()));
	ASSERT_EQ(PAGES, pagemap_read(parent.fd, self->region.addr, own, PAGES));
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, other, PAGES));
	EXPECT_EQ(0, source_close(&parent));
	for (i = 0; i < PAGES; i++) {
		EXPECT_TRUE(pm_is_swap(own[i]));
		differing += (own[i] & PM_FRAME) != (other[i] & PM_FRAME);
	}
	EXPECT_EQ(0, differing);
}

struct unrelated {
	const struct region *region;
	unsigned char *addr;
};

/* Maps the parent's file once more at another address, and reports it. */
static int map_and_wait(struct child *c, void *arg)
{
	struct unrelated *u = arg;
	struct region view;

	if (region_map_view(&view, u->region, 100, 300, MAP_SHARED))
		return 1;
	u->addr = view.addr;
	return !child_tell(c) || !child_hear(c);
}

TEST_F(fork, second_process_maps_a_part_already_swapped)
{
	struct unrelated *u;
	struct region view;
	struct source src;
	struct child c;
	struct survey s;

	u = mmap(NULL, sizeof(*u), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, u);
	u->region = &self->region;
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, child_start(&c, map_and_wait, u));
	ASSERT_TRUE(child_hear(&c));
	view = self->region;
	view.addr = u->addr;
	view.first = 100;
	view.pages = 300;
	EXPECT_EQ(0, source_open(&src, c.pid));
	EXPECT_EQ(0, survey_region(&src, &view, &s));
	EXPECT_EQ(300, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, source_close(&src));
	child_kill(&c);
}

TEST_HARNESS_MAIN
