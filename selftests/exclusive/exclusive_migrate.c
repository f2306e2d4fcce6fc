// SPDX-License-Identifier: GPL-2.0
/* The bit stays the same when pages move to other frames (migration) or addresses (mremap). */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	16
#define SPREAD	8192	/* pages, of which every second is freed */

FIXTURE(exclusive_migrate) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(exclusive_migrate)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_migrate)
{
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	kpage_close(&self->kp);
}

TEST_F(exclusive_migrate, exclusive_page_stays_so_in_its_new_frame)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, migrate_region(&self->ex, r));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, region_damaged(r));
}

TEST_F(exclusive_migrate, shared_page_moves_for_both)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	ASSERT_EQ(0, migrate_region(&self->ex, r));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	frames_note(&self->ex, r, self->frames);
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(PAGES, crosscheck_count(&self->other, &self->kp, r, EX_PRESENT, 2));
	EXPECT_EQ(0, violations_of(&self->other));
}

TEST_F(exclusive_migrate, pinned_page_stays)
{
	struct region *r = &self->region;
	struct pin pin;
	size_t i;

	ASSERT_EQ(0, pin_take(&pin, r->addr, PAGES, PIN_WRITE));
	for (i = 0; i < PAGES; i++)
		EXPECT_GT(0, migrate_page(&self->ex, region_page(r, i)));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r,
					  EX_OWN | EX_MAYBE_PINNED, 1));
	EXPECT_EQ(0, pin_release(&pin));
}

/* Memory with holes is compacted: most pages move. */
TEST_F(exclusive_migrate, compacted_pages_keep_their_bits)
{
	struct region spread;
	__u64 *frames;
	size_t i, kept = 0;
	int tries;

	ASSERT_EQ(0, region_map_private_anon(&spread, SPREAD));
	region_fill(&spread);
	for (i = 0; i < SPREAD; i += 2)
		ASSERT_EQ(0, madvise(region_page(&spread, i), PAGE_BYTES, MADV_DONTNEED));
	frames = calloc(SPREAD, sizeof(*frames));
	ASSERT_NE(NULL, frames);
	frames_note(&self->ex, &spread, frames);
	region_drain_batches();
	for (tries = 0; tries < 10 && frames_kept(&self->ex, &spread, frames) == SPREAD;
	     tries++)
		ASSERT_EQ(0, write_text("/proc/sys/vm/compact_memory", "1"));
	for (i = 1; i < SPREAD; i += 2) {
		void *page = region_page(&spread, i);

		kept += frame_at(&self->ex, page) == frames[i];
		EXPECT_EQ(EX_OWN, exclusive_at(&self->ex, page) & EX_STATE);
		EXPECT_EQ(NULL, crosscheck_page(&self->ex, &self->kp, page));
		EXPECT_TRUE(pattern_matches(page, spread.id, i));
	}
	ksft_print_msg("compaction moved %zu of %d pages\n", SPREAD / 2 - kept, SPREAD / 2);
	EXPECT_GT(SPREAD / 2, kept);
	free(frames);
	region_free(&spread);
}

/* mremap changes the addresses and no frame. */
TEST_F(exclusive_migrate, mremap_keeps_bits_and_marks)
{
	struct region *r = &self->region;
	struct region swapped = region_part(r, 0, PAGES / 2);

	ASSERT_EQ(0, region_pageout(&swapped));
	ASSERT_EQ(0, region_move(r));
	swapped = region_part(r, 0, PAGES / 2);
	EXPECT_EQ(PAGES / 2, crosscheck_count(&self->ex, &self->kp, &swapped,
					      EX_SWAP | EX_EXCLUSIVE, 0));
	EXPECT_EQ(PAGES / 2, exclusive_count(&self->ex, region_page(r, PAGES / 2),
					     PAGES / 2, EX_STATE, EX_OWN));
	EXPECT_EQ(PAGES / 2, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
}

TEST_HARNESS_MAIN
