// SPDX-License-Identifier: GPL-2.0
/*
 * WHERE of swapmap: `disk` is a promise that the swap device has the page's bytes; what is
 * not there, or not yet, is `zero` or `cache`. For `zswap` see zswap.c.
 */
#include <linux/mman.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600	/* more than one window */
#define TRIES	500
#define SECONDS	3

FIXTURE(place) {
	struct region region;
	struct cgroup cg;
	struct setting cluster;
	pid_t attached;
	struct swap_place places[PAGES];
};

FIXTURE_VARIANT(place) {
	int (*map)(struct region *r, size_t pages);
};

FIXTURE_VARIANT_ADD(place, memfd) {
	.map = region_map_memfd,
};

FIXTURE_VARIANT_ADD(place, anon) {
	.map = region_map_private_anon,
};

FIXTURE_SETUP(place)
{
	TEARDOWN_FROM_HERE();
	/* No readahead: only touched pages are swapped in. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, variant->map(&self->region, PAGES));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, attach(getpid()));
	self->attached = getpid();
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
}

FIXTURE_TEARDOWN_PARENT(place)
{
	if (self->attached)
		EXPECT_EQ(0, detach(self->attached));
	EXPECT_EQ(0, setting_restore(&self->cluster));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* Each page of the region is in the swap, at @kind. */
static void expect_all(struct __test_metadata *_metadata, const struct region *r,
		       struct swap_place *places, enum place_kind kind)
{
	ASSERT_EQ(0, places_of(r, getpid(), places));
	EXPECT_EQ(r->pages, places_count(places, r->pages, kind))
		places_print(places, r->pages);
}

/* The file's own view has the same places, by page index. */
static void expect_file_same(struct __test_metadata *_metadata, const struct region *r,
			     const struct swap_place *places)
{
	struct swap_place own[PAGES];
	char id[64];

	if (r->fd < 0)
		return;
	file_id(r->fd, id, sizeof(id));
	ASSERT_EQ(0, attach_fd(r->fd));
	EXPECT_EQ(0, places_of_file(r, id, own));
	EXPECT_EQ(0, memcmp(own, places, r->pages * sizeof(*own)))
		places_print(own, r->pages);
	EXPECT_EQ(0, detach_fd(id));
}

TEST_F(place, on_disk)
{
	struct region *r = &self->region;

	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	expect_all(_metadata, r, self->places, PLACE_DISK);
	expect_file_same(_metadata, r, self->places);
	EXPECT_EQ(PAGES, places_on_disk(r, self->places));
	/* Each page is at its own slot: none but the touched ones leave. */
	ASSERT_TRUE(pattern_matches(region_page(r, 7), r->id, 7));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(PLACE_ABSENT, self->places[7].kind);
	EXPECT_EQ(PAGES - 1, places_on_disk(r, self->places));
}

/* Written and not yet reclaimed: as many as the cgroup has in the swap cache. */
TEST_F(place, in_the_swap_cache)
{
	struct region *r = &self->region;
	size_t cached = 0;
	char stat[256];
	int tries;

	ASSERT_EQ(0, region_pageout(r));
	snprintf(stat, sizeof(stat), "%s/memory.stat", self->cg.path);
	/* The kernel's counter can be some seconds late. */
	for (tries = 0; tries < TRIES; tries++) {
		ASSERT_EQ(0, places_of(r, getpid(), self->places));
		cached = places_count(self->places, PAGES, PLACE_CACHE);
		if (read_value(stat, "swapcached") == (long long)(cached * PAGE_BYTES))
			break;
		usleep(20000);
	}
	EXPECT_NE(0, cached);
	EXPECT_GT(TRIES, tries) TH_LOG("%zu cached, the cgroup has %lld bytes", cached,
				       read_value(stat, "swapcached"));
	expect_file_same(_metadata, r, self->places);
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	expect_all(_metadata, r, self->places, PLACE_DISK);
}

/*
 * The slot of a page that was read back stays for the other process that refers to it. That
 * of a file's page does not: the other process finds the page in the file.
 */
TEST_F(place, read_back_and_kept_for_another)
{
	struct region *r = &self->region;
	enum place_kind kind = r->fd < 0 ? PLACE_CACHE : PLACE_ABSENT;
	struct child c;

	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, child_start_idle(&c));
	ASSERT_EQ(0, attach(c.pid));
	EXPECT_EQ(0, places_of(r, c.pid, self->places));
	EXPECT_EQ(PAGES, places_count(self->places, PAGES, PLACE_DISK));
	EXPECT_EQ(0, region_damaged(r));
	EXPECT_EQ(0, places_of(r, c.pid, self->places));
	EXPECT_EQ(PAGES, places_count(self->places, PAGES, kind))
		places_print(self->places, PAGES);
	EXPECT_EQ(0, detach(c.pid));
	child_kill(&c);
	expect_all(_metadata, r, self->places, PLACE_ABSENT);
}

/* Every third page is zero: so are the runs, and only the others are on the disk. */
TEST_F(place, zeroes_between)
{
	struct region *r = &self->region;
	long long zeroes = read_value("/proc/vmstat", "swpout_zero");
	size_t i, len;
	char *text;

	for (i = 0; i < PAGES; i += 3)
		memset(region_page(r, i), 0, PAGE_BYTES);
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	EXPECT_LE(zeroes + PAGES / 3, read_value("/proc/vmstat", "swpout_zero"));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i % 3 ? PLACE_DISK : PLACE_ZERO, self->places[i].kind);
	expect_file_same(_metadata, r, self->places);
	EXPECT_EQ(PAGES - PAGES / 3, places_on_disk(r, self->places));
	/* Lines end where WHERE changes. */
	text = swapmap_read(getpid(), 65536, &len);
	ASSERT_NE(NULL, text);
	EXPECT_LE(2 * PAGES / 3, listing_check(text, PAGE_BYTES));
	free(text);
	/* Written again, a page is no longer zero. */
	region_fill_page(r, 0);
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, places_of(r, getpid(), self->places));
	EXPECT_EQ(PLACE_DISK, self->places[0].kind);
	EXPECT_EQ(PAGES - PAGES / 3 + 1, places_on_disk(r, self->places));
}

struct writer {
	struct region *region;
	const struct cgroup *cg;
};

/* Writes, reads and pages out at random. A page whose id is 0 is being written. */
static int churn(struct child *c, void *arg)
{
	struct writer *w = arg;
	struct region *r = w->region;
	size_t i, from, count;

	if (cgroup_enter(w->cg) || !child_tell(c))
		return 2;
	for (;;) {
		from = random_below(PAGES);
		count = 1 + random_below(PAGES - from < 64 ? PAGES - from : 64);
		for (i = from; i < from + count; i++) {
			switch (random_below(3)) {
			case 0:
				__atomic_store_n(&r->ids[i], 0, __ATOMIC_SEQ_CST);
				pattern_fill(region_page(r, i), r->id + i, r->first + i);
				__atomic_store_n(&r->ids[i], r->id + i, __ATOMIC_SEQ_CST);
				r->id += PAGES;
				break;
			case 1:
				madvise(region_page(r, i), PAGE_BYTES, MADV_POPULATE_READ);
				break;
			}
		}
		madvise(region_page(r, from), count * PAGE_BYTES, MADV_PAGEOUT);
		if (!random_below(4))
			cgroup_reclaim(w->cg, 64 * PAGE_BYTES);
	}
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/*
 * A page that is `disk` at the same slot before and after the device is read, and was not
 * written meanwhile, is there.
 */
TEST_F(place, disk_is_a_promise_while_pages_move)
{
	struct region *r = &self->region;
	struct writer writer = { r, &self->cg };
	struct swap_place after[PAGES];
	double until = now() + SECONDS;
	size_t i, checked = 0, wrong = 0, rounds = 0;
	__u64 ids[PAGES];
	struct swaps swaps;
	const void *bytes;
	static unsigned char copy[PAGES][PAGE_BYTES];
	struct child c;

	r->ids = mmap(NULL, PAGES * sizeof(__u64), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, r->ids);
	for (i = 0; i < PAGES; i++)
		r->ids[i] = r->id;
	ASSERT_EQ(0, swaps_open(&swaps));
	ASSERT_EQ(0, child_start(&c, churn, &writer));
	ASSERT_TRUE(child_hear(&c));
	ASSERT_EQ(0, attach(c.pid));
	/* On a slow machine, until something was checked. */
	while ((now() < until || !checked) && now() < until + 100 * SECONDS) {
		rounds++;
		for (i = 0; i < PAGES; i++)
			ids[i] = __atomic_load_n(&r->ids[i], __ATOMIC_SEQ_CST);
		ASSERT_EQ(0, places_of(r, c.pid, self->places));
		swaps_forget(&swaps);
		for (i = 0; i < PAGES; i++) {
			if (self->places[i].kind != PLACE_DISK)
				continue;
			bytes = swaps_page(&swaps, self->places[i].type,
					   self->places[i].offset);
			ASSERT_NE(NULL, bytes);
			memcpy(copy[i], bytes, PAGE_BYTES);
		}
		ASSERT_EQ(0, places_of(r, c.pid, after));
		for (i = 0; i < PAGES; i++) {
			if (self->places[i].kind != PLACE_DISK ||
			    memcmp(&self->places[i], &after[i], sizeof(after[i])) || !ids[i] ||
			    ids[i] != __atomic_load_n(&r->ids[i], __ATOMIC_SEQ_CST))
				continue;
			checked++;
			wrong += !pattern_matches(copy[i], ids[i], r->first + i);
		}
	}
	ksft_print_msg("%zu rounds, %zu pages checked\n", rounds, checked);
	EXPECT_LT(0, checked);
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, detach(c.pid));
	child_kill(&c);
	swaps_close(&swaps);
}

TEST_HARNESS_MAIN
