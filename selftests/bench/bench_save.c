// SPDX-License-Identifier: GPL-2.0
/*
 * Costs of finding the pages of a memfd that a checkpoint must save, by the ways that
 * examples/ shows: SHMEM_SCAN, PAGEMAP_SCAN of a fresh mapping with the flags for shared
 * memory, pairs of lseek(), and mincore() of a fresh mapping. Prints one JSON object per line.
 * Under `qemu/run.sh --icount` the clock counts instructions: ns are instructions.
 *
 * XPAGEMAP_BENCH_MIB in the environment is the size of the memfd, by default 1024. The guest
 * needs twice that in memory, and more than that in swap.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/lib.h"
#include "lib/pagemap/shmemscan.h"

#define MIB_PAGES	256UL
#define ROUNDS		3
#define REGIONS		4096	/* a call */

/* Runs of pages that a way has found. */
struct found {
	size_t runs;
	size_t pages;
	__u64 end;	/* of the last run */
};

static void die(const char *what, long err)
{
	fprintf(stderr, "bench_save: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	exit(1);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Adds a run, in bytes, to the last one if it continues it. */
static void add(struct found *f, __u64 start, __u64 end)
{
	if (!f->runs || f->end != start)
		f->runs++;
	f->pages += (end - start) / PAGE_BYTES;
	f->end = end;
}

static int by_shmem_scan(const struct region *r, struct found *f)
{
	static struct shmem_region regions[REGIONS];
	struct shmem_scan_arg arg = {
		.size = sizeof(arg),
		.end = r->pages * PAGE_BYTES,
		.vec = (unsigned long)regions,
		.vec_len = REGIONS,
		.category_mask = SHMEM_IS_DIRTY | SHMEM_IS_SWAPPED,
	};
	int count, i;

	for (; arg.start < arg.end; arg.start = arg.walk_end) {
		count = ioctl(r->fd, SHMEM_SCAN, &arg);
		if (count < 0)
			return -errno;
		for (i = 0; i < count; i++)
			if (!(regions[i].categories & SHMEM_IS_ZERO))
				add(f, regions[i].start, regions[i].end);
	}
	return 0;
}

static int by_pagemap_scan(const struct region *r, struct found *f)
{
	static struct page_region regions[REGIONS];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE,
		.vec = (unsigned long)regions,
		.vec_len = REGIONS,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_CACHED,
		.return_mask = PAGE_IS_FILE,
	};
	int fd = proc_pagemap_open(getpid()), count, i, err;
	struct region view;

	if (fd < 0)
		return fd;
	err = region_map_view(&view, r, 0, r->pages, MAP_SHARED);
	arg.start = (unsigned long)view.addr;
	arg.end = arg.start + r->pages * PAGE_BYTES;
	for (; !err && arg.start < arg.end; arg.start = arg.walk_end) {
		count = ioctl(fd, PAGEMAP_SCAN, &arg);
		err = count < 0 ? -errno : 0;
		for (i = 0; i < count; i++)
			add(f, regions[i].start, regions[i].end);
	}
	region_unmap(&view);
	close(fd);
	return err;
}

static int by_lseek(const struct region *r, struct found *f)
{
	off_t start, end = 0, size = r->pages * PAGE_BYTES;

	while (end < size) {
		start = lseek(r->fd, end, SEEK_DATA);
		if (start < 0)
			return errno == ENXIO ? 0 : -errno;
		end = lseek(r->fd, start, SEEK_HOLE);
		if (end < 0)
			return -errno;
		add(f, start, end);
	}
	return 0;
}

static int by_mincore(const struct region *r, struct found *f)
{
	static unsigned char states[REGIONS];
	struct region view;
	size_t at, pages, i;
	int err = region_map_view(&view, r, 0, r->pages, MAP_SHARED);

	for (at = 0; !err && at < r->pages; at += pages) {
		pages = r->pages - at < REGIONS ? r->pages - at : REGIONS;
		if (mincore(region_page(&view, at), pages * PAGE_BYTES, states))
			err = -errno;
		for (i = 0; !err && i < pages; i++)
			if (states[i] & 1)
				add(f, (at + i) * PAGE_BYTES, (at + i + 1) * PAGE_BYTES);
	}
	region_unmap(&view);
	return err;
}

static const struct way {
	const char *name;
	int (*find)(const struct region *r, struct found *f);
} ways[] = {
	{ "SHMEM_SCAN", by_shmem_scan },
	{ "PAGEMAP_SCAN", by_pagemap_scan },
	{ "lseek", by_lseek },
	{ "mincore", by_mincore },
};

static void measure(const struct way *way, const struct region *r, const char *written,
		    const char *swapped)
{
	long long least = 0, took;
	long before = region_count(r, PAGE_SWAPPED);
	struct found f;
	int i, err;

	for (i = 0; i < ROUNDS; i++) {
		f = (struct found){};
		took = now();
		err = way->find(r, &f);
		took = now() - took;
		if (err == -EINVAL && way->find == by_pagemap_scan)
			return;	/* no PM_SCAN_SHMEM_CACHE */
		if (err)
			die(way->name, err);
		if (!i || took < least)
			least = took;
	}
	printf("{\"written\": \"%s\", \"swapped\": \"%s\", \"way\": \"%s\", ", written, swapped,
	       way->name);
	printf("\"ns\": %lld, \"runs\": %zu, \"pages\": %zu, \"swapped_in\": %ld, ", least,
	       f.runs, f.pages, before - region_count(r, PAGE_SWAPPED));
	printf("\"mib\": %zu}\n", r->pages / MIB_PAGES);
	fflush(stdout);
}

/* With @expected pages written, of which @in_swap are in swap. */
static void measure_all(const struct region *r, const char *written, const char *swapped,
			size_t expected, size_t in_swap)
{
	size_t i;

	if (region_count(r, PAGE_SWAPPED) != (long)in_swap ||
	    region_count(r, PAGE_RESIDENT) != (long)(expected - in_swap))
		die("other pages than wanted are in swap", -EPROTO);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		measure(&ways[i], r, written, swapped);
}

/* Swaps pages out, of which all that are in memory are in @cg, and frees the swap cache. */
static void swap_out(const struct region *r, size_t pages, const struct cgroup *cg)
{
	long left = region_pageout_pages(r, 0, pages);

	if (left)
		die("pages stay in memory", left);
	/* mincore() finds pages in the swap cache. */
	left = cgroup_drop_swap_cache(cg);
	if (left)
		die("pages stay in the swap cache", left);
}

static void map(struct region *r, size_t pages)
{
	if (region_map_memfd(r, pages))
		die("memfd", 0);
	madvise(r->addr, pages * PAGE_BYTES, MADV_NOHUGEPAGE);
}

static void fill(struct region *r, size_t from, size_t to, size_t every)
{
	for (; from < to; from += every)
		region_fill_page(r, from);
}

/* Every @every-th page is written; swapped are none, those of the first half, and all. */
static void run(size_t pages, size_t every, const char *written, const struct cgroup *cg)
{
	size_t count = pages / every;
	struct region r;

	map(&r, pages);
	fill(&r, 0, pages, every);
	measure_all(&r, written, "none", count, 0);
	swap_out(&r, pages, cg);
	measure_all(&r, written, "all", count, count);
	region_free(&r);

	map(&r, pages);
	fill(&r, 0, pages / 2, every);
	swap_out(&r, pages / 2, cg);
	fill(&r, pages / 2, pages, every);
	measure_all(&r, written, "half", count, count / 2);
	region_free(&r);
}

int main(void)
{
	const char *text = getenv("XPAGEMAP_BENCH_MIB");
	size_t pages = (text && *text ? strtoul(text, NULL, 10) : 1024) * MIB_PAGES;
	struct cgroup cg;
	int err = cgroup_create(&cg) ?: cgroup_enter(&cg);

	if (err)
		die("cgroup", err);
	run(pages, 1, "every page", &cg);
	run(pages, 2, "every 2nd page", &cg);
	run(pages, 512, "every 512th page", &cg);
	cgroup_destroy(&cg);
	return 0;
}
