// SPDX-License-Identifier: GPL-2.0
/*
 * Anonymous shared memory above its cgroup's limit, so that the kernel swaps by
 * itself: the scenario in which blank pagemap entries were first reported, and a
 * larger one.
 */
#include "lib/harness.h"
#include "lib/lib.h"

FIXTURE(shmem) {
	struct cgroup cg;
	struct region region;
	struct source src;
};

FIXTURE_VARIANT(shmem) {
	size_t pages;
	size_t limit;		/* of the cgroup, in bytes */
};

FIXTURE_VARIANT_ADD(shmem, posting_2021) {
	.pages = 256,
	.limit = 512 << 10,
};

FIXTURE_VARIANT_ADD(shmem, larger) {
	.pages = 4096,
	.limit = 4 << 20,
};

FIXTURE_SETUP(shmem)
{
	ASSERT_EQ(0, region_map_shared_anon(&self->region, variant->pages));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_set_max(&self->cg, variant->limit));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	/* Further memory is not charged to the cgroup, so that it swaps no more. */
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(shmem)
{
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* stock[posting_2021, larger]: nothing */
TEST_F(shmem, every_swapped_page_is_located)
{
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	struct survey s;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "shared anonymous memory");
	EXPECT_GE(swapped, (long)(variant->pages - variant->limit / PAGE_BYTES));
	EXPECT_EQ(swapped, (long)s.due);
	EXPECT_EQ(s.due, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* smaps and memory.swap.current count the same pages. */
TEST_F(shmem, as_many_as_smaps_and_the_cgroup_say)
{
	unsigned char *addr = self->region.addr;
	char header[64], buf[4096];
	long long swap_kb = -1;
	struct survey s;
	FILE *smaps;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	snprintf(header, sizeof(header), "%lx-", (unsigned long)addr);
	smaps = fopen("/proc/self/smaps", "r");
	ASSERT_NE(NULL, smaps);
	while (fgets(buf, sizeof(buf), smaps))
		if (!strncmp(buf, header, strlen(header)))
			break;
	while (swap_kb < 0 && fgets(buf, sizeof(buf), smaps))
		sscanf(buf, "Swap: %lld kB", &swap_kb);
	fclose(smaps);
	EXPECT_EQ(swap_kb * 1024, (long long)(s.swapped * PAGE_BYTES));
	EXPECT_GE(cgroup_value(&self->cg, "memory.swap.current"),
		  (long long)(s.swapped * PAGE_BYTES));
}

TEST_F(shmem, reading_disturbs_nothing)
{
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	struct survey first, second;

	ASSERT_EQ(0, survey_region(&self->src, &self->region, &first));
	EXPECT_EQ(swapped, region_count(&self->region, PAGE_SWAPPED));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &second));
	EXPECT_EQ(first.swapped, second.swapped);
	EXPECT_EQ(first.present, second.present);
	EXPECT_EQ(0, region_damaged(&self->region));
}

TEST_F(shmem, swapped_in_again_is_present)
{
	struct survey s;

	/* The pages stay charged to the cgroup, so its limit still applies to them. */
	ASSERT_EQ(0, cgroup_set_max(&self->cg, 1UL << 40));
	EXPECT_EQ(0, region_damaged(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, s.swapped);
	EXPECT_EQ(self->region.pages, s.present);
}

TEST_HARNESS_MAIN
