// SPDX-License-Identifier: GPL-2.0
/* Swapoff and swapon of the device while a reader reads the entries. */
#include <fcntl.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	2000
#define ROUNDS	3
#define TRIES	50	/* maximum rounds until a read falls within a swapoff */

/* Memory shared with the reader. */
struct shared {
	bool done;		/* the swapoff of this round is done */
	unsigned long reads;
};

FIXTURE(swapoff) {
	struct region region;
	struct source src;
	const char *device;
	struct shared *shared;
};

FIXTURE_SETUP(swapoff)
{
	self->device = getenv("XPAGEMAP_SWAPDEV");
	ASSERT_NE(NULL, self->device);
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(swapoff)
{
	/* Fails with EBUSY if it is on, as it should be. */
	swapon(self->device, 0);
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
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

struct reading {
	const struct source *src;
	const struct region *region;
	struct shared *shared;
};

static bool told(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void tell(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static unsigned long reads_of(struct shared *shared)
{
	return __atomic_load_n(&shared->reads, __ATOMIC_SEQ_CST);
}

/* Returns 0 if each entry is possible after those read before. */
static int check(const __u64 *entries, const __u64 *first, bool *left, bool done)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		if (entries[i] == first[i]) {
			/* A page that was swapped in does not return to its slot. */
			if (left[i] || done)
				return 4;
			continue;
		}
		left[i] = true;
		if (!pm_is_nothing(entries[i]) && !(entries[i] & PM_PRESENT))
			return 5;
	}
	return 0;
}

/* Reads from the time when all pages are in swap until @done is set. */
static int read_through(struct child *c, void *arg)
{
	static __u64 first[PAGES], entries[PAGES];
	struct reading *rd = arg;
	static bool left[PAGES];
	bool done;
	int err;

	if (pagemap_read(rd->src->fd, rd->region->addr, first, PAGES) != PAGES ||
	    !child_tell(c))
		return 2;
	do {
		done = told(&rd->shared->done);
		if (pagemap_read(rd->src->fd, rd->region->addr, entries, PAGES) != PAGES)
			return 3;
		err = check(entries, first, left, done);
		if (err)
			return err;
		__atomic_add_fetch(&rd->shared->reads, 1, __ATOMIC_SEQ_CST);
	} while (!done);
	return 0;
}

/* Returns the number of reads that began and ended during the swapoff. */
static long swapoff_round(struct __test_metadata *_metadata, const struct reading *rd,
			  const char *device)
{
	struct shared *shared = rd->shared;
	struct reading copy = *rd;
	unsigned long before, after;
	struct child reader;
	struct survey s;

	*shared = (struct shared){};
	EXPECT_EQ(0, survey_region(rd->src, rd->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "before swapoff");
	ASSERT_EQ(0, child_start(&reader, read_through, &copy));
	ASSERT_TRUE(child_hear(&reader));
	before = reads_of(shared);
	ASSERT_EQ(0, swapoff(device));
	after = reads_of(shared);
	tell(&shared->done);
	EXPECT_EQ(0, child_wait(&reader));
	ASSERT_EQ(0, swapon(device, 0));
	/* The first one may have begun before. */
	return after > before + 1 ? (long)(after - before - 1) : 0;
}

/* The reader neither waits for the swapoff nor reports slots that are gone. */
TEST_F(swapoff, under_a_reader)
{
	struct reading rd = { &self->src, &self->region, self->shared };
	long within = 0;
	int round;

	for (round = 0; round < ROUNDS || (!within && round < TRIES); round++) {
		within += swapoff_round(_metadata, &rd, self->device);
		region_fill(&self->region);
		ASSERT_EQ(0, region_pageout(&self->region));
	}
	ksft_print_msg("%ld reads within %d swapoffs\n", within, round);
	EXPECT_LT(0, within);
}

TEST_HARNESS_MAIN
