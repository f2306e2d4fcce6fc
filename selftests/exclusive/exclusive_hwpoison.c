// SPDX-License-Identifier: GPL-2.0
/* Pages that a memory error took: the hwpoison entry in PID/pagemap and PID/exclusive. */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		4
#define POISONED	1
#define CORRUPT		"/sys/kernel/debug/hwpoison/corrupt-pfn"
#define UNPOISON	"/sys/kernel/debug/hwpoison/unpoison-pfn"

/* Types from here on are not of swap areas, in any configuration. */
#define TYPE_MIN	24

FIXTURE(exclusive_hwpoison) {
	struct region region;
	struct exclusive ex;
	__u64 frame;		/* of the page that is poisoned */
};

FIXTURE_VARIANT(exclusive_hwpoison) {
	int (*map)(struct region *r, size_t pages);
	bool shared;
};

FIXTURE_VARIANT_ADD(exclusive_hwpoison, anon) { .map = region_map_private_anon };
FIXTURE_VARIANT_ADD(exclusive_hwpoison, memfd) { .map = region_map_memfd, .shared = true };

FIXTURE_SETUP(exclusive_hwpoison)
{
	void *page;

	ASSERT_EQ(0, variant->map(&self->region, PAGES));
	region_fill(&self->region);
	region_drain_batches();
	page = region_page(&self->region, POISONED);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->frame = frame_at(&self->ex, page);
	ASSERT_NE(EX_ERROR, self->frame);
	/* MADV_HWPOISON would send SIGBUS. */
	ASSERT_EQ(0, write_text(CORRUPT, "%llu", (unsigned long long)self->frame));
}

FIXTURE_TEARDOWN(exclusive_hwpoison)
{
	EXPECT_EQ(0, exclusive_close(&self->ex));
	/* A page of a file is given back only without its file. */
	region_free(&self->region);
	EXPECT_EQ(0, write_text(UNPOISON, "%llu", (unsigned long long)self->frame));
}

/* In pagemap as in /proc: bit 62, the frame in place of an offset, bit 61 if of a file. */
TEST_F(exclusive_hwpoison, pagemap_has_the_frame)
{
	void *page = region_page(&self->region, POISONED);
	__u64 entries[PAGES], proc[PAGES];
	int fd = target_open(getpid());

	ASSERT_EQ(PAGES, pagemap_read(fd, self->region.addr, entries, PAGES));
	ASSERT_EQ(PAGES, pagemap_read(self->ex.proc, self->region.addr, proc, PAGES));
	EXPECT_EQ(0, memcmp(entries, proc, sizeof(proc)));
	ASSERT_EQ(1, pagemap_read(fd, page, entries, 1));
	EXPECT_EQ(PM_SWAP | (variant->shared ? PM_FILE : 0),
		  *entries & ~(PM_FRAME | PM_SOFT_DIRTY));
	EXPECT_LE(TYPE_MIN, pm_swap_type(*entries));
	EXPECT_EQ(self->frame, pm_swap_offset(*entries));
	close(fd);
}

TEST_F(exclusive_hwpoison, exclusive_is_zero)
{
	__u64 others = variant->shared ? EX_PRESENT | EX_FILE : EX_PRESENT | EX_EXCLUSIVE;

	EXPECT_EQ(0, exclusive_at(&self->ex, region_page(&self->region, POISONED)));
	EXPECT_EQ(PAGES - 1, exclusive_count(&self->ex, self->region.addr, PAGES, others, others));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* Neither present nor swapped: in no line of swapmap, and in the column of all pages alone. */
TEST_F(exclusive_hwpoison, not_counted_as_swapped)
{
	char path[64];
	static char text[1 << 16];

	EXPECT_EQ(PAGES, summary_value(&self->ex, self->region.addr, "pages"));
	EXPECT_EQ(PAGES - 1, summary_value(&self->ex, self->region.addr, "present"));
	EXPECT_EQ(0, summary_value(&self->ex, self->region.addr, "swap-private"));
	EXPECT_EQ(0, summary_value(&self->ex, self->region.addr, "swap-shared"));
	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/swapmap", getpid());
	ASSERT_LE(0, read_text(path, text, sizeof(text)));
	snprintf(path, sizeof(path), "%lx", (unsigned long)region_page(&self->region, POISONED));
	EXPECT_EQ(NULL, strstr(text, path));
}

TEST_HARNESS_MAIN
