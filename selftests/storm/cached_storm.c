// SPDX-License-Identifier: GPL-2.0
/*
 * PAGEMAP_SCAN and PAGEMAP_READ with both look-up flags, against everything that moves
 * pages between page cache and swap: faults through other mappings, write(2), read-ahead
 * of swap, reclaim, migration, and a swap limit that makes swap-out fail.
 *
 * Each page of the file is either data, written before the storm and only ever written
 * again with the same contents, or a hole that is only ever read. Half of the data are
 * zeroes: these are swapped out without I/O, which makes for many moves. So at each moment:
 *
 * 1. A data page is in a category: mapped, in the page cache or in swap. In a private
 *    mapping, its copy has the same contents.
 * 2. A hole of small folios is not in swap. It may be in the page cache, because somebody
 *    read it. Large folios that were only read can be swapped out as zeroes: counted.
 *
 * Pages in no category are read through the file, and must be all zeroes.
 */
#include <linux/fs.h>
#include <sys/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		(4 * PMD_PAGES)
#define WINDOW		700
#define BOTH		3
#define CHECKERS	3
#define COMPACT		"/proc/sys/vm/compact_memory"

/* Of one checker, which owns a mapping that is touched and zapped by no other thread. */
struct checker {
	struct shared *all;
	struct region view;
	size_t scanned, read;		/* windows, by ioctl */
	size_t pages, data;		/* checked */
	size_t present, swapped, cached, nothing;
	size_t zeroes;			/* in no category, and read: all zeroes */
	size_t holes_swapped;
	size_t wrong;
	char first[160];
};

struct shared {
	struct region region;
	struct cgroup cg;
	struct checker checker[CHECKERS];
	size_t hole_run;		/* pages; 0: runs of 1, 2, 3, ... 40 pages */
	int fd;
};

FIXTURE(cached_storm) {
	struct shared *all;
	struct mounted fs;
	struct storm storm;
};

FIXTURE_VARIANT(cached_storm) {
	const char *huge;
};

FIXTURE_VARIANT_ADD(cached_storm, small_folios) {
	.huge = "huge=never",
};

FIXTURE_VARIANT_ADD(cached_storm, large_folios) {
	.huge = "huge=always",
};

enum { HOLE, ZEROES, HOLE_TOO, DATA };

static int kind_of(const struct shared *all, size_t page)
{
	size_t run = 1, i = 0;

	if (all->hole_run)
		return page / all->hole_run % 4;
	while (i + run <= page) {
		i += run;
		run = run % 40 + 1;
	}
	return run % 4;
}

static bool is_data(const struct shared *all, size_t page)
{
	return kind_of(all, page) % 2;
}

/* Writes a data page. */
static void write_page(struct shared *all, size_t page)
{
	if (kind_of(all, page) == ZEROES)
		memset(region_page(&all->region, page), 0, PAGE_BYTES);
	else
		region_fill_page(&all->region, page);
}

static void map_file(struct __test_metadata *_metadata, FIXTURE_DATA(cached_storm) * self,
		     const char *huge)
{
	struct region *r = &self->all->region;
	void *at = region_find_aligned(PAGES * PAGE_BYTES);
	int fd;

	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, mounted_tmpfs(&self->fs, huge));
	fd = mounted_file(&self->fs, "file", PAGES);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_map(r, at, PAGES, MAP_SHARED | MAP_FIXED, fd, 0));
}

FIXTURE_SETUP(cached_storm)
{
	static const int flags[CHECKERS] = { MAP_SHARED, MAP_SHARED, MAP_PRIVATE };
	struct shared *all = calloc(1, sizeof(*all));
	size_t i;

	ASSERT_NE(NULL, all);
	self->all = all;
	all->hole_run = variant->huge[5] == 'a' ? PMD_PAGES : 0;
	all->fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, all->fd);
	ASSERT_EQ(0, cgroup_create(&all->cg));
	ASSERT_EQ(0, cgroup_enter(&all->cg));
	map_file(_metadata, self, variant->huge);
	for (i = 0; i < PAGES; i++)
		if (is_data(all, i))
			write_page(all, i);
	for (i = 0; i < CHECKERS; i++) {
		all->checker[i].all = all;
		ASSERT_EQ(0, region_map_view(&all->checker[i].view, &all->region, 0, PAGES,
					     flags[i]));
	}
}

FIXTURE_TEARDOWN(cached_storm)
{
	size_t i;

	EXPECT_EQ(0, cgroup_leave());
	for (i = 0; i < CHECKERS; i++)
		region_unmap(&self->all->checker[i].view);
	region_free(&self->all->region);
	EXPECT_EQ(0, cgroup_destroy(&self->all->cg));
	EXPECT_EQ(0, mounted_remove(&self->fs));
	close(self->all->fd);
	free(self->all);
}

/* A read fault. */
static void touch_page(const struct region *r, size_t i)
{
	asm volatile("" : : "r"(*region_page(r, i)) : "memory");
}

/* Touches single pages and reads ahead, in the mapping of the thread that wrote them. */
static int touch(struct storm_thread *t)
{
	struct shared *all = t->arg;
	unsigned char page[PAGE_BYTES];
	size_t i, n;

	for (n = 0; n < 50; n++) {
		i = random_below(PAGES);
		if (random_below(4) == 0) {
			if (pread(all->region.fd, page, sizeof(page), i * PAGE_BYTES) !=
			    (ssize_t)sizeof(page))
				return -EIO;
		} else if (is_data(all, i) && random_below(2)) {
			write_page(all, i);
		} else {
			touch_page(&all->region, i);
		}
	}
	i = random_below(PAGES - 64);
	if (madvise(region_page(&all->region, i), 64 * PAGE_BYTES, MADV_WILLNEED))
		return -errno;
	return 0;
}

static int swap_out(struct storm_thread *t)
{
	struct shared *all = t->arg;
	size_t i = random_below(PAGES - 300);

	if (random_below(3))
		cgroup_reclaim(&all->cg, random_below(200) * PAGE_BYTES);
	else if (madvise(region_page(&all->region, i), 300 * PAGE_BYTES, MADV_PAGEOUT))
		return -errno;
	return 0;
}

/* Swap that is full half of the time; and pages that migrate. */
static int limit_swap(struct storm_thread *t)
{
	struct shared *all = t->arg;
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/memory.swap.max", all->cg.path);
	err = write_text(path, "%s", t->rounds % 2 ? "max" : "0");
	write_text(COMPACT, "1");
	usleep(20000);
	return err;
}

static void __printf(3, 4) wrong(struct checker *c, size_t page, const char *fmt, ...)
{
	va_list args;

	if (c->wrong++)
		return;
	va_start(args, fmt);
	vsnprintf(c->first, sizeof(c->first), fmt, args);
	va_end(args);
	ksft_print_msg("page %zu: %s\n", page, c->first);
}

/* In no category: it must read as zeroes. */
static void check_nothing(struct checker *c, size_t page, const char *how)
{
	static const unsigned char zeroes[PAGE_BYTES];
	unsigned char bytes[PAGE_BYTES];

	c->nothing++;
	if (is_data(c->all, page))
		wrong(c, page, "data in no category, by %s", how);
	/* Half of them, since reading brings the page into the page cache */
	if (random_below(2))
		return;
	if (pread(c->view.fd, bytes, sizeof(bytes), page * PAGE_BYTES) != sizeof(bytes) ||
	    memcmp(bytes, zeroes, sizeof(bytes)))
		wrong(c, page, "in no category by %s, but not zero", how);
	else
		c->zeroes++;
}

static void check_page(struct checker *c, size_t page, bool present, bool swapped,
		       bool cached, const char *how)
{
	c->pages++;
	c->data += is_data(c->all, page);
	c->present += present;
	c->swapped += swapped;
	c->cached += cached;
	if (present + swapped + cached > 1)
		wrong(c, page, "in two categories, by %s", how);
	if (swapped && !is_data(c->all, page)) {
		c->holes_swapped++;
		if (!c->all->hole_run)
			wrong(c, page, "a hole in swap, by %s", how);
	}
	if (!present && !swapped && !cached)
		check_nothing(c, page, how);
}

static int scan_window(struct checker *c, size_t from, size_t pages)
{
	__u16 categories[WINDOW];
	size_t i;

	if (pagemap_scan_pages(c->all->fd, region_page(&c->view, from), categories, pages,
			       expected_scan_flags(BOTH)) != (long)pages)
		return -EIO;
	for (i = 0; i < pages; i++)
		check_page(c, from + i, categories[i] & PAGE_IS_PRESENT,
			   categories[i] & PAGE_IS_SWAPPED, categories[i] & PAGE_IS_CACHED,
			   "PAGEMAP_SCAN");
	c->scanned++;
	return 0;
}

/* An entry cannot tell migration from swap: bit 62 of a hole is not checked. */
static int read_window(struct checker *c, size_t from, size_t pages)
{
	__u64 entries[WINDOW];
	size_t i;

	if (pagemap_bulk_read(c->all->fd, region_page(&c->view, from), entries, pages,
			      expected_read_flags(BOTH)) != (long)pages)
		return -EIO;
	for (i = 0; i < pages; i++) {
		bool swapped = pm_is_swap(entries[i]);

		if (swapped && pm_swap_type(entries[i]) > 0)
			swapped = is_data(c->all, from + i);
		check_page(c, from + i, (entries[i] & PM_PRESENT) ||
			   (pm_is_swap(entries[i]) && !swapped), swapped,
			   entries[i] & PM_CACHED, "PAGEMAP_READ");
	}
	c->read++;
	return 0;
}

/* Checks a window of its own mapping, of which it touches and zaps parts. */
static int check(struct storm_thread *t)
{
	struct checker *c = t->arg;
	size_t from = random_below(PAGES), pages = 1 + random_below(WINDOW), i, n;

	if (pages > PAGES - from)
		pages = PAGES - from;
	/* The first has no page tables, for most of the time */
	for (n = 0; n < 20 && t->number; n++) {
		i = random_below(PAGES);
		if (c->view.private && is_data(c->all, i))
			__atomic_fetch_add(region_page(&c->view, i), 0, __ATOMIC_RELAXED);
		else
			touch_page(&c->view, i);
	}
	if (random_below(10) == 0)
		madvise(c->view.addr, PAGES * PAGE_BYTES, MADV_DONTNEED);
	else if (t->number)
		madvise(region_page(&c->view, from), pages * PAGE_BYTES,
			random_below(2) ? MADV_PAGEOUT : MADV_DONTNEED);
	return random_below(2) ? scan_window(c, from, pages) : read_window(c, from, pages);
}

/* True if each category was seen. */
static bool all_seen(const void *arg)
{
	const struct checker *c = arg;
	size_t swapped = 0, cached = 0, present = 0, zeroes = 0, i;

	for (i = 0; i < CHECKERS; i++) {
		swapped += __atomic_load_n(&c[i].swapped, __ATOMIC_RELAXED);
		cached += __atomic_load_n(&c[i].cached, __ATOMIC_RELAXED);
		present += __atomic_load_n(&c[i].present, __ATOMIC_RELAXED);
		zeroes += __atomic_load_n(&c[i].zeroes, __ATOMIC_RELAXED);
	}
	return swapped && cached && present && zeroes;
}

TEST_F_TIMEOUT(cached_storm, data_is_always_in_a_category, STORM_TIMEOUT)
{
	struct shared *all = self->all;
	size_t i, bad = 0;

	storm_add(&self->storm, "touch", touch, 0, all);
	storm_add(&self->storm, "swap out", swap_out, 0, all);
	storm_add(&self->storm, "limit swap", limit_swap, 0, all);
	for (i = 0; i < CHECKERS; i++)
		storm_add(&self->storm, "check", check, i, &all->checker[i]);
	self->storm.enough = all_seen;
	self->storm.arg = all->checker;
	EXPECT_EQ(0, storm_run(&self->storm));
	for (i = 0; i < CHECKERS; i++) {
		const struct checker *c = &all->checker[i];

		ksft_print_msg("mapping %zu: %zu scans, %zu reads, of %zu pages, %zu of data\n",
			       i, c->scanned, c->read, c->pages, c->data);
		ksft_print_msg("%zu present, %zu in swap, %zu cached, %zu nothing, %zu read\n",
			       c->present, c->swapped, c->cached, c->nothing, c->zeroes);
		ksft_print_msg("holes told in swap: %zu\n", c->holes_swapped);
		EXPECT_EQ(0, c->wrong) TH_LOG("mapping %zu: %s", i, c->first);
	}
	EXPECT_TRUE(all_seen(all->checker));
	for (i = 0; i < PAGES; i++) {
		static const unsigned char zeroes[PAGE_BYTES];
		const unsigned char *page = region_page(&all->region, i);

		if (kind_of(all, i) == DATA)
			bad += !pattern_matches(page, region_id(&all->region, i), i);
		else
			bad += !!memcmp(page, zeroes, PAGE_BYTES);
	}
	EXPECT_EQ(0, bad);
}

TEST_HARNESS_MAIN
