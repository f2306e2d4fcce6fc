// SPDX-License-Identifier: GPL-2.0
/* kswapd swaps out pages: it is the process of the event. */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		512
#define VM		"/proc/sys/vm/"
#define WATERMARK	"3000"	/* distance of the watermarks, in 1/10000 of memory */
#define PAUSE_US	20000
#define TRIES		1500

FIXTURE(events_kswapd) {
	struct region region;
	struct traced self;
	struct setting watermark, swappiness;
	__u64 frames[PAGES];
	struct hog hog;
};

FIXTURE_SETUP(events_kswapd)
{
	/* Each node has a kswapd of its own: the region's pages are kswapd0's. */
	ASSERT_EQ(0, node_bind(0));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, node_unbind());
	region_drain_batches();
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	ASSERT_EQ(0, events_start_mode(getpid(), "2"));
	frames_note(&self->self.ex, &self->region, self->frames);
	ASSERT_EQ(0, hog_open(&self->hog));
}

FIXTURE_TEARDOWN(events_kswapd)
{
	hog_close(&self->hog);
	EXPECT_EQ(0, setting_restore(&self->watermark));
	EXPECT_EQ(0, setting_restore(&self->swappiness));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	region_free(&self->region);
}

static long count_swapped(const struct traced *t, const struct region *r)
{
	return exclusive_count(&t->ex, r->addr, r->pages, EX_SWAP, EX_SWAP);
}

/*
 * With these watermarks kswapd wakes when less than about 3/10 of memory is free. Locked
 * memory uses up the rest, and the region has the oldest pages that can be swapped.
 */
TEST_F(events_kswapd, swap_out_by_kswapd)
{
	struct region *r = &self->region;
	static const struct event swap_out = { .cause = CAUSE_SWAP_OUT };
	struct actor kswapd = actor_thread("kswapd0");
	const struct event *e = NULL;
	size_t with_ip = 0;
	size_t low = meminfo_bytes("MemTotal") / 10 * 3;
	int tries;

	ASSERT_LT(0, kswapd.pid);
	ASSERT_EQ(0, setting_change(&self->swappiness, VM "swappiness", "200"));
	ASSERT_EQ(0, setting_change(&self->watermark, VM "watermark_scale_factor", WATERMARK));
	ASSERT_EQ(0, madvise(r->addr, PAGES * PAGE_BYTES, MADV_COLD));
	while (meminfo_bytes("MemFree") > low && hog_takes(&self->hog))
		;
	for (tries = 0; tries < TRIES && count_swapped(&self->self, r) < PAGES; tries++)
		usleep(PAUSE_US);
	ksft_print_msg("%zu MiB taken, %ld of %d pages swapped out\n", self->hog.taken >> 20,
		       count_swapped(&self->self, r), PAGES);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, r,
				     { OP_CLEAR, CAUSE_SWAP_OUT, self->frames, &kswapd }));
	/* A kernel thread has no instruction pointer of user mode. */
	ASSERT_TRUE(self->self.log.with_ip);
	while ((e = events_next(&self->self.log, e, &swap_out)))
		with_ip += e->pid == kswapd.pid && e->ip;
	EXPECT_EQ(0, with_ip);
}

TEST_HARNESS_MAIN
