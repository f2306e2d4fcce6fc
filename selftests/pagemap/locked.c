// SPDX-License-Identifier: GPL-2.0
/* Locked memory: resident pages stay; pages swapped out before may stay in swap. */
#include <sys/shm.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 300

FIXTURE(locked) {
	struct region region;
	struct source src;
};

FIXTURE_SETUP(locked)
{
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(locked)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

TEST_F(locked, resident_pages_stay)
{
	struct survey s;

	ASSERT_EQ(0, mlock(self->region.addr, PAGES * PAGE_BYTES));
	/* MADV_PAGEOUT refuses locked memory. */
	EXPECT_EQ(-EINVAL, region_pageout(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(locked, swapped_pages_come_back)
{
	struct survey s;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, mlock(self->region.addr, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(locked, swapped_pages_stay_until_touched)
{
	struct survey s;
	size_t i;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, mlock2(self->region.addr, PAGES * PAGE_BYTES, MLOCK_ONFAULT));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	for (i = 0; i < PAGES / 2; i++)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, i),
					    self->region.id, i));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES / 2, s.located);
	EXPECT_EQ(PAGES / 2, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(locked, sysv_segment_locked_after_it_was_swapped)
{
	struct region r = { .pages = PAGES, .fd = -1 };
	struct survey s;
	int shm;

	shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	ASSERT_LE(0, shm);
	r.id = pattern_new_id();
	r.addr = shmat(shm, NULL, 0);
	EXPECT_EQ(0, shmctl(shm, IPC_RMID, NULL));
	ASSERT_NE((void *)-1, (void *)r.addr);
	r.fd = region_open_file(r.addr, PAGES * PAGE_BYTES);
	ASSERT_LE(0, r.fd);
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, shmctl(shm, SHM_LOCK, NULL));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	close(r.fd);
	EXPECT_EQ(0, shmdt(r.addr));
}

TEST_HARNESS_MAIN
