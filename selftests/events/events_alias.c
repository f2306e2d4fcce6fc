// SPDX-License-Identifier: GPL-2.0
/*
 * PG_anon_exclusive shares its bit with PG_mappedtodisk. The first page of a large folio is
 * not mapped any more and still has the bit; folio_migrate_flags() copies it as
 * PG_mappedtodisk when the folio moves as a whole. A folio that is only mapped partly
 * is split before it moves, except in the swap cache.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define ORDER_PAGES	16	/* of 64 KiB */
#define FOLIOS		512
#define PAGES		(FOLIOS * ORDER_PAGES)
#define ENABLED		"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled"
#define WHOLE		"/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled"
#define TRIES		10

#define READ_BACK (EX_PRESENT | EX_EXCLUSIVE | EX_LARGE | EX_SWAP_CACHE)

FIXTURE(events_alias) {
	struct region region;
	struct traced self;
	struct setting enabled, whole;
	__u64 frames[PAGES];
	bool whole_in_cache[FOLIOS];
};

FIXTURE_SETUP(events_alias)
{
	void *at = region_find_aligned(PAGES * PAGE_BYTES);

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, setting_change(&self->enabled, ENABLED, "always"));
	ASSERT_EQ(0, setting_change(&self->whole, WHOLE, "never"));
	ASSERT_EQ(0, region_map(&self->region, at, PAGES,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	region_fill(&self->region);
	region_drain_batches();
	ASSERT_EQ(0, exclusive_open(&self->self.ex, getpid()));
	ASSERT_EQ(PAGES, exclusive_count(&self->self.ex, self->region.addr, PAGES, EX_LARGE,
					 EX_LARGE));
}

FIXTURE_TEARDOWN(events_alias)
{
	EXPECT_EQ(0, setting_restore(&self->enabled));
	EXPECT_EQ(0, setting_restore(&self->whole));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	region_free(&self->region);
}

/*
 * Swaps out each folio, and faults it in again from the swap cache. Of every second folio
 * that is whole in the swap cache, unmaps the first page, and all pages of the others.
 * Returns the number of the former.
 */
static size_t leave_heads(FIXTURE_DATA(events_alias) * self)
{
	struct region *r = &self->region;
	size_t i, whole = 0;

	for (i = 0; i < FOLIOS; i++) {
		unsigned char *folio = region_page(r, i * ORDER_PAGES);

		madvise(folio, ORDER_PAGES * PAGE_BYTES, MADV_PAGEOUT);
		madvise(folio, ORDER_PAGES * PAGE_BYTES, MADV_POPULATE_READ);
		self->whole_in_cache[i] = exclusive_count(&self->self.ex, folio, ORDER_PAGES,
							  READ_BACK, READ_BACK) == ORDER_PAGES;
	}
	sync();
	region_drain_batches();
	frames_note(&self->self.ex, r, self->frames);
	/* The freed pages are the holes that compaction fills. */
	for (i = 0; i < FOLIOS; i++) {
		bool left = self->whole_in_cache[i] && i % 2;

		madvise(region_page(r, i * ORDER_PAGES),
			(left ? 1 : ORDER_PAGES) * PAGE_BYTES, MADV_DONTNEED);
		self->whole_in_cache[i] = left;
		whole += left;
	}
	return whole;
}

TEST_F(events_alias, head_moves_with_its_folio)
{
	struct event set = { .op = OP_SET, .cause = CAUSE_MIGRATE_END, .pid = getpid() };
	struct events *log = &self->self.log;
	size_t i, moved = 0, told = 0, left = leave_heads(self);
	int tries;

	if (!left)
		SKIP(return, "no large folio came back whole from the swap cache");
	ASSERT_EQ(0, events_start(getpid()));
	for (tries = 0; tries < TRIES; tries++)
		ASSERT_EQ(0, write_text("/proc/sys/vm/compact_memory", "1"));
	ASSERT_EQ(0, traced_end(&self->self));
	for (i = 0; i < FOLIOS; i++) {
		unsigned char *second = region_page(&self->region, i * ORDER_PAGES + 1);
		__u64 frame = frame_at(&self->self.ex, second);

		if (!self->whole_in_cache[i] || frame == self->frames[i * ORDER_PAGES + 1] ||
		    !(exclusive_at(&self->self.ex, second) & EX_LARGE))
			continue;
		moved++;
		/* No address: nobody maps the first page. */
		set.pfn = frame - 1;
		told += events_count(log, &set) == 1;
	}
	ksft_print_msg("%zu folios without their first page, %zu moved whole\n", left, moved);
	if (!moved)
		SKIP(return, "compaction moved none of these folios whole");
	EXPECT_EQ(moved, told);
}

TEST_HARNESS_MAIN
