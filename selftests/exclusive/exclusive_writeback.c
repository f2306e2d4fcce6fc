// SPDX-License-Identifier: GPL-2.0
/*
 * Swap-in of a page that is under writeback. If the swap device needs stable writes (zram),
 * the page comes back without its bit, read-only, and a write makes a copy.
 */
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	32
#define SLOTS	2000

FIXTURE(exclusive_writeback) {
	struct region region;
	struct exclusive ex;
	struct kpage kp;
	char below[SWAPDEV_PATH], path[SWAPDEV_PATH];
	__u64 frames[PAGES];
};

FIXTURE_VARIANT(exclusive_writeback) {
	int (*make)(size_t pages, char *path);
	bool stable;
};

FIXTURE_VARIANT_ADD(exclusive_writeback, loop) {
	.make = swapdev_loop,
	.stable = false,
};

FIXTURE_VARIANT_ADD(exclusive_writeback, zram) {
	.make = swapdev_zram,
	.stable = true,
};

static bool needs_stable_writes(const char *path)
{
	char file[128], text[8] = "";

	snprintf(file, sizeof(file), "/sys/block/%s/queue/stable_writes",
		 strrchr(path, '/') + 1);
	return read_text(file, text, sizeof(text)) > 0 && *text == '1';
}

/* The only swap device is one whose writes do not finish. */
FIXTURE_SETUP(exclusive_writeback)
{
	int fd;

	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, kpage_open(&self->kp));
	fd = variant->make(SLOTS, self->below);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(-fd));
	ASSERT_EQ(0, dm_create(self->below, SLOTS, self->path, sizeof(self->path)));
	if (fd > 0)
		close(fd);
	ASSERT_EQ(variant->stable, needs_stable_writes(self->path));
	ASSERT_EQ(0, swapdev_on(self->path, SLOTS));
	ASSERT_EQ(0, swapoff(getenv("XPAGEMAP_SWAPDEV"))) TH_LOG("%m");

	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
	ASSERT_EQ(0, dm_hold(true));
	ASSERT_EQ(0, region_pageout(&self->region));
}

FIXTURE_TEARDOWN_PARENT(exclusive_writeback)
{
	if (self->ex.attached)
		EXPECT_EQ(0, detach(self->ex.pid));
	if (self->path[0])
		EXPECT_EQ(0, dm_hold(false));
	swapon(getenv("XPAGEMAP_SWAPDEV"), 0);
	/* The device below is busy until the one on top of it is removed. */
	swapoff(self->path);
	EXPECT_EQ(0, dm_remove());
	EXPECT_EQ(0, swapdev_remove_all());
}

static size_t under_writeback(const struct kpage *kp, const __u64 *frames)
{
	size_t i, count = 0;

	for (i = 0; i < PAGES; i++)
		count += kpage_has(kpage_flags(kp, frames[i]), KPF_WRITEBACK);
	return count;
}

TEST_F(exclusive_writeback, page_read_back_meanwhile)
{
	struct region *r = &self->region;
	__u64 state = variant->stable ? EX_PRESENT : EX_OWN;

	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r,
					  EX_SWAP | EX_EXCLUSIVE, 0));
	EXPECT_EQ(PAGES, under_writeback(&self->kp, self->frames));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, state, 1));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, under_writeback(&self->kp, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));

	r->id = pattern_new_id();
	region_fill(r);
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(variant->stable ? 0 : PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* After writeback, the swap entry has its mark, and swap-in sets the bit. */
TEST_F(exclusive_writeback, page_read_back_when_all_is_written)
{
	struct region *r = &self->region;
	int tries;

	ASSERT_EQ(0, dm_hold(false));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r,
					  EX_SWAP | EX_EXCLUSIVE, 0));
	for (tries = 0; tries < 500 && under_writeback(&self->kp, self->frames); tries++)
		usleep(10000);
	ASSERT_EQ(0, under_writeback(&self->kp, self->frames));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, r, EX_OWN, 1));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_HARNESS_MAIN
