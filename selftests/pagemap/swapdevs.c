// SPDX-License-Identifier: GPL-2.0
/*
 * A second swap device: each page has a swap type and offset, and its bytes are on
 * that device at that offset.
 */
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

/* At most 512 pages go to the disk first, and those that the second cannot hold. */
#define PAGES	1500
#define SLOTS	600

FIXTURE(swapdevs) {
	struct region region;
	struct source src;
	char path[SWAPDEV_PATH];
};

FIXTURE_VARIANT(swapdevs) {
	int (*make)(size_t pages, char *path);
};

FIXTURE_VARIANT_ADD(swapdevs, loop) {
	.make = swapdev_loop,
};

FIXTURE_VARIANT_ADD(swapdevs, zram) {
	.make = swapdev_zram,
};

FIXTURE_SETUP(swapdevs)
{
	int fd;

	TEARDOWN_FROM_HERE();
	fd = variant->make(SLOTS, self->path);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(-fd));
	ASSERT_EQ(0, swapdev_on(self->path, SLOTS));
	if (fd > 0)
		close(fd);
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(swapdevs)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, swapdev_remove_all());
}

TEST_F(swapdevs, pages_on_both)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "two swap devices");
	ksft_print_msg("on the disk %zu, on %s %zu\n", s.located_on[0], self->path,
		       s.located_on[1]);
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_LE(PAGES - SLOTS, s.located_on[0]);
	EXPECT_LT(0, s.located_on[1]);
	EXPECT_EQ(0, filemap_survey(&self->region));
	EXPECT_EQ(0, region_damaged(&self->region));
}

/* swapoff of the second device reads its pages; those on the disk keep their slots. */
TEST_F(swapdevs, second_taken_away)
{
	struct survey before, after;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &before));
	ASSERT_EQ(0, swapoff(self->path)) TH_LOG("%m");
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &after));
	EXPECT_LT(0, before.located_on[1]);
	EXPECT_EQ(before.located_on[0], after.located);
	EXPECT_EQ(0, after.mistaken) survey_print(&after, "one device left");
	EXPECT_EQ((long)before.located_on[1], region_count(&self->region, PAGE_RESIDENT));
}

/* Control: private pages, whose locations /proc reports as well. */
TEST_F(swapdevs, private_pages_on_both)
{
	struct region own;
	struct survey s;

	region_free(&self->region);
	ASSERT_EQ(0, region_map_private_anon(&own, PAGES));
	region_fill(&own);
	ASSERT_EQ(0, region_pageout(&own));
	ASSERT_EQ(0, survey_region(&self->src, &own, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_LT(0, s.located_on[0]);
	EXPECT_LT(0, s.located_on[1]);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "private pages");
	region_free(&own);
}

TEST_HARNESS_MAIN
