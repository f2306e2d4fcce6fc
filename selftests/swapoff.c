// SPDX-License-Identifier: GPL-2.0
/* The swap device goes away and comes back while its slots are being told. */
#include <fcntl.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 3000

FIXTURE(swapoff) {
	struct region region;
	struct source src;
	const char *device;
};

FIXTURE_SETUP(swapoff)
{
	self->device = getenv("XPAGEMAP_SWAPDEV");
	ASSERT_NE(NULL, self->device);
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(swapoff)
{
	/* Fails where it is on, as it should be. */
	swapon(self->device, 0);
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

TEST_F(swapoff, nothing_is_in_swap_any_more)
{
	struct survey s;

	ASSERT_EQ(0, swapoff(self->device));
	EXPECT_EQ(PAGES, region_count(&self->region, PAGE_RESIDENT));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(0, s.due);
	EXPECT_EQ(0, s.swapped);
	EXPECT_EQ(0, s.mistaken);

	ASSERT_EQ(0, swapon(self->device, 0));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* Reads until told to stop; an entry is nothing, present, or in swap. */
static int read_on(struct child *c, void *arg)
{
	static __u64 entries[PAGES];
	const struct region *r = arg;
	int fd = target_open(getppid());
	long i;

	if (fd < 0 || !child_tell(c) || fcntl(c->in, F_SETFL, O_NONBLOCK))
		return 2;
	while (!child_hear(c) && errno == EAGAIN) {
		if (pagemap_read(fd, r->addr, entries, PAGES) != PAGES)
			return 3;
		for (i = 0; i < PAGES; i++)
			if (!pm_is_nothing(entries[i]) && !(entries[i] & PM_FILE))
				return 4;
	}
	return 0;
}

TEST_F(swapoff, under_a_reader)
{
	struct child reader;
	struct survey s;
	int round, status;

	ASSERT_EQ(0, child_start(&reader, read_on, &self->region));
	ASSERT_TRUE(child_hear(&reader));
	for (round = 0; round < 5; round++) {
		ASSERT_EQ(0, swapoff(self->device));
		ASSERT_EQ(0, swapon(self->device, 0));
		region_fill(&self->region);
		ASSERT_EQ(0, region_pageout(&self->region));
	}
	child_tell(&reader);
	status = child_wait(&reader);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

TEST_HARNESS_MAIN
