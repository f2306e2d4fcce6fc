// SPDX-License-Identifier: GPL-2.0
/*
 * zswap keeps swapped-out pages in memory. Each page has a slot on the disk
 * nevertheless, and zswap's writeback writes it there.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		1000
#define TRIES		3000
#define PARAMETERS	"/sys/module/zswap/parameters/"
#define COUNTERS	"/sys/kernel/debug/zswap/"

FIXTURE(zswap) {
	struct region region;
	struct source src;
	struct setting enabled, limit, cluster;
};

static long long counter(const char *path)
{
	char text[32];
	long len = read_text(path, text, sizeof(text));

	return len < 0 ? len : atoll(text);
}

static long long stored_pages(void)
{
	return counter(COUNTERS "stored_pages");
}

FIXTURE_SETUP(zswap)
{
	TEARDOWN_FROM_HERE();
	/* No readahead: only touched pages are swapped in. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, setting_change(&self->limit, PARAMETERS "max_pool_percent", "50"));
	ASSERT_EQ(0, setting_change(&self->enabled, PARAMETERS "enabled", "Y"));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_LE(PAGES, stored_pages());
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN_PARENT(zswap)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, setting_restore(&self->limit));
	EXPECT_EQ(0, setting_restore(&self->enabled));
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* Number of pages whose bytes are on the disk in the slots reported. */
static long on_disk(const struct region *r, const __u64 *entries)
{
	struct swapdisk disk;
	long found = 0;
	const void *bytes;
	size_t i;
	int err = swapdisk_open(&disk);

	if (err)
		return err;
	for (i = 0; i < r->pages; i++) {
		bytes = swapdisk_page(&disk, pm_swap_offset(entries[i]));
		found += bytes && pattern_matches(bytes, r->id, i);
	}
	swapdisk_close(&disk);
	return found;
}

/* With a pool limit of 0, the next swap-out makes zswap write all pages back. */
static bool empty_zswap(void)
{
	struct region one;
	int tries;

	if (write_text(PARAMETERS "max_pool_percent", "0") ||
	    write_text(PARAMETERS "enabled", "Y") ||
	    region_map_memfd(&one, 1))
		return false;
	for (tries = 0; stored_pages() && tries < TRIES; tries++) {
		region_fill(&one);
		region_pageout(&one);
		usleep(20000);
	}
	region_free(&one);
	return !stored_pages();
}

TEST_F(zswap, slots_told_while_the_bytes_are_in_memory)
{
	static __u64 entries[PAGES], later[PAGES];
	static struct swap_place places[PAGES];
	long long written = counter(COUNTERS "written_back_pages");
	struct survey s;
	size_t i;

	ASSERT_EQ(PAGES, region_count(&self->region, PAGE_SWAPPED));
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, entries, PAGES));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(PM_SWAP | PM_FILE,
			  entries[i] & ~(PM_SWAP_OFFSET | PM_SOFT_DIRTY));
	/* No page is on the disk: zswap holds them all. */
	EXPECT_EQ(0, on_disk(&self->region, entries));
	if (!source_is_proc()) {
		ASSERT_EQ(0, places_of(&self->region, getpid(), places));
		EXPECT_EQ(PAGES, places_count(places, PAGES, PLACE_ZSWAP))
			places_print(places, PAGES);
	}

	ASSERT_TRUE(empty_zswap()) TH_LOG("%lld left", stored_pages());
	ASSERT_LE(written + PAGES, counter(COUNTERS "written_back_pages"));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "after zswap");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, later, PAGES));
	EXPECT_EQ(0, memcmp(entries, later, sizeof(entries)));
	if (source_is_proc())
		return;
	/* Written back through the swap cache, where some may still be. */
	ASSERT_EQ(0, places_of(&self->region, getpid(), places));
	EXPECT_EQ(0, places_count(places, PAGES, PLACE_ZSWAP));
	EXPECT_EQ(PAGES, places_count(places, PAGES, PLACE_CACHE) +
			 places_on_disk(&self->region, places))
		places_print(places, PAGES);
}

TEST_F(zswap, read_back_while_it_is_in_memory)
{
	struct survey s;

	EXPECT_EQ(PAGES, count_entries(self->src.fd, self->region.addr, PAGES,
				       PM_SWAP | PM_FILE));
	EXPECT_EQ(0, region_damaged(&self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.mistaken);
}

/* Switched off, zswap stores no more pages but keeps those it has: half are on the disk. */
TEST_F(zswap, switched_off_with_pages_in_it)
{
	static __u64 entries[PAGES];
	static struct swap_place places[PAGES];
	struct survey s;
	size_t i;

	ASSERT_EQ(0, write_text(PARAMETERS "enabled", "N"));
	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_LE(PAGES / 2, stored_pages());
	ASSERT_EQ(PAGES, pagemap_read(self->src.fd, self->region.addr, entries, PAGES));
	for (i = 0; i < TRIES && on_disk(&self->region, entries) < PAGES / 2; i++)
		usleep(100000);
	EXPECT_EQ(PAGES / 2, on_disk(&self->region, entries));
	if (!source_is_proc()) {
		ASSERT_EQ(0, places_of(&self->region, getpid(), places));
		EXPECT_EQ(PAGES / 2, places_count(places, PAGES, PLACE_ZSWAP));
		EXPECT_EQ((long)places_count(places, PAGES, PLACE_DISK),
			  places_on_disk(&self->region, places));
	}
	ASSERT_TRUE(empty_zswap()) TH_LOG("%lld left", stored_pages());
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after zswap");
}

TEST_HARNESS_MAIN
