// SPDX-License-Identifier: GPL-2.0
/*
 * Costs of a reader per page, by kind of memory and entries per read, and of a whole
 * swapmap. Prints one JSON object per line. Under `qemu/run.sh --icount` the clock
 * counts instructions: ns are instructions, and repeatable.
 *
 * XPAGEMAP_BENCH_QUICK in the environment: reads of 1 and of 512 entries only, of a part
 * of the pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES	16384UL
#define ROUNDS	3
/* Entries per attempt: few enough that some attempt ends before a timer tick. */
#define CHUNK	512
#define TRIES	12

#define LISTED		1000UL
#define SPARSE_PAGES	(512 * 1024 * PMD_PAGES)	/* 1 TiB */

/* A quick run makes few attempts, with fewer reads of one entry each. */
#define QUICK_PAGES	1024
#define QUICK_CHUNK	128
#define QUICK_TRIES	4

static __u64 entries[PAGES];
static bool quick;

static void die(const char *what, long err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	exit(1);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* read(), or PAGEMAP_READ with these flags. */
struct reader {
	const char *file;
	int fd;
	bool ioctl;
	__u64 flags;
};

static long read_entries(const struct reader *rd, const struct region *r, size_t first,
			 size_t step)
{
	if (rd->ioctl)
		return pagemap_bulk_read(rd->fd, region_page(r, first), entries + first, step,
					 rd->flags);
	return pagemap_read(rd->fd, region_page(r, first), entries + first, step);
}

/* Reads the entries of pages @first to @end - 1, @step per read. Returns the ns it took. */
static long long pass(const struct reader *rd, const struct region *r, size_t first,
		      size_t end, size_t step)
{
	long long start = now();
	size_t i;

	for (i = first; i < end; i += step) {
		long got = read_entries(rd, r, i, step);

		if (got != (long)step)
			die(rd->file, got);
	}
	return now() - start;
}

/* Returns ns per page, of the shortest attempt at each chunk. */
static double best(const struct reader *rd, const struct region *r, size_t step)
{
	const size_t least_chunk = quick && step == 1 ? QUICK_CHUNK : CHUNK;
	const size_t chunk = step < least_chunk ? least_chunk : step;
	const size_t pages = quick ? QUICK_PAGES : PAGES;
	const int tries = quick ? QUICK_TRIES : TRIES;
	long long sum = 0, least, took;
	size_t first;
	int i;

	for (first = 0; first < pages; first += chunk) {
		least = LLONG_MAX;
		for (i = 0; i < tries; i++) {
			took = pass(rd, r, first, first + chunk, step);
			if (took < least)
				least = took;
		}
		sum += least;
	}
	return (double)sum / pages;
}

/* Counts the entries that are swapped, present, and neither. */
static void kinds(size_t *swapped, size_t *present, size_t *nothing)
{
	const size_t pages = quick ? QUICK_PAGES : PAGES;
	size_t i;

	*swapped = *present = *nothing = 0;
	for (i = 0; i < pages; i++) {
		if (pm_is_swap(entries[i]))
			++*swapped;
		else if (entries[i] & PM_PRESENT)
			++*present;
		else
			++*nothing;
	}
}

static void measure(const char *memory, const struct reader *rd, const struct region *r)
{
	static const size_t steps[] = { 1, 8, 64, 512, 4096, 16384 };
	size_t swapped, present, nothing, i;

	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		double each;

		if (quick && steps[i] != 1 && steps[i] != CHUNK)
			continue;
		each = best(rd, r, steps[i]);

		kinds(&swapped, &present, &nothing);
		printf("{\"memory\": \"%s\", \"file\": \"%s\", ", memory, rd->file);
		printf("\"entries_per_read\": %zu, \"ns_per_page\": %.3f, ", steps[i], each);
		printf("\"swapped\": %zu, \"present\": %zu, \"nothing\": %zu}\n",
		       swapped, present, nothing);
		fflush(stdout);
	}
}

/* Returns the least bytes that the kernel allocates for @reads reads of all entries. */
static long long least_allocated(const struct reader *rd, const struct region *r, int reads)
{
	long long least = -1;
	int i, j, err;

	for (i = 0; i < ROUNDS; i++) {
		long long bytes;

		err = allocation_watch();
		for (j = 0; j < reads; j++)
			pass(rd, r, 0, PAGES, PAGES);
		bytes = allocation_bytes();
		if (err || bytes < 0)
			die("tracing", err ?: bytes);
		if (least < 0 || bytes < least)
			least = bytes;
	}
	return least;
}

/* Tracing allocates too: the difference is the cost of one read. */
static void measure_allocation(const char *memory, const struct reader *rd,
			       const struct region *r)
{
	long long bytes = least_allocated(rd, r, 1) - least_allocated(rd, r, 0);

	printf("{\"memory\": \"%s\", \"file\": \"%s\", ", memory, rd->file);
	printf("\"entries_per_read\": %lu, \"bytes_allocated\": %lld}\n", PAGES, bytes);
}

/* Opens a file of this process's target. */
static int target_file(const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/xpagemap/%d/%s", getpid(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path, 0);
	return fd;
}

static void run(const char *memory, const struct region *r)
{
	struct source src;
	size_t count, i;
	int err = source_open(&src, getpid());
	int exclusive = source_is_proc() ? -1 : target_file("exclusive");
	const struct reader readers[] = {
		{ .file = "/proc/PID/pagemap", .fd = src.proc },
		{ .file = "xpagemap/PID/pagemap", .fd = src.fd },
		{ .file = "xpagemap/PID/exclusive", .fd = exclusive },
		{ .file = "PAGEMAP_READ", .fd = src.proc, .ioctl = true },
		{ .file = "PAGEMAP_READ, both flags", .fd = src.proc, .ioctl = true,
		  .flags = PM_READ_SHMEM_SWAP | PM_READ_SHMEM_CACHE },
	};

	if (err)
		die("attach", err);
	count = source_is_proc() ? 1 : sizeof(readers) / sizeof(*readers);
	for (i = 0; i < count; i++) {
		measure(memory, &readers[i], r);
		if (!quick)
			measure_allocation(memory, &readers[i], r);
	}
	if (exclusive >= 0)
		close(exclusive);
	source_close(&src);
}

static void make(struct region *r, bool shared)
{
	int err = shared ? region_map_shared_anon(r, PAGES) :
			   region_map_private_anon(r, PAGES);

	if (err)
		die("mmap", err);
	madvise(r->addr, PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
}

static void swap_out(const struct region *r, size_t every)
{
	size_t i;
	long left = 0;

	if (every == 1)
		left = region_pageout(r);
	else
		for (i = 0; i < PAGES && left >= 0; i += every)
			left = region_pageout_pages(r, i, 1);
	if (left)
		die("pages stay in memory", left);
}

/* Number of the region's pages in a swapmap. */
static size_t listed_pages(const char *text, const struct region *r)
{
	size_t pages = 0;
	struct run run;

	while (*text && listing_parse(&text, &run))
		if (run.start >= (unsigned long)r->addr &&
		    run.start < (unsigned long)region_page(r, r->pages))
			pages += run.pages;
	return pages;
}

/* Pages of folios of 2 MiB, swapped out whole. */
static void run_large(void)
{
	struct largefile file;
	struct region r;
	long long before;
	int err = largefile_map(&file, &r, PMD_PAGES, PAGES);

	if (err)
		die("a file of large folios", err);
	region_fill(&r);
	before = largefile_swapped(&file);
	swap_out(&r, 1);
	if (largefile_swapped(&file) < before + (long long)(PAGES / PMD_PAGES))
		die("folios were split", -EPROTO);
	run("shared, swapped, 2 MiB folios", &r);
	region_free(&r);
	largefile_remove(&file);
	close(file.fd);
}

/* Measures the swapmap of LISTED swapped pages of a file, @stride pages apart. */
static void run_swapmap(const char *memory, size_t stride)
{
	int fd = memfd_create("xpagemap-bench", MFD_CLOEXEC), i, err;
	long long least = 0, start, took;
	struct region r;
	size_t page, len;
	char *text;

	if (fd < 0 || ftruncate(fd, LISTED * stride * PAGE_BYTES))
		die("memfd", 0);
	err = region_map(&r, NULL, LISTED * stride, MAP_SHARED | MAP_NORESERVE, fd, 0) ?:
	      attach(getpid());
	if (err)
		die("attach", err);
	for (page = 0; page < LISTED * stride; page += stride)
		region_fill_page(&r, page);
	for (page = 0; page < LISTED * stride; page += stride)
		if (region_pageout_pages(&r, page, 1))
			die("pages stay in memory", 0);
	for (i = 0; i < ROUNDS; i++) {
		start = now();
		text = swapmap_read(getpid(), 65536, &len);
		took = now() - start;
		if (!text)
			die("swapmap", 0);
		if (listed_pages(text, &r) != LISTED)
			die("not all pages are listed", -EPROTO);
		free(text);
		if (!i || took < least)
			least = took;
	}
	printf("{\"memory\": \"%s\", \"file\": \"xpagemap/PID/swapmap\", ", memory);
	printf("\"swapped\": %lu, \"ns\": %lld}\n", LISTED, least);
	detach(getpid());
	region_free(&r);
}

/* Zaps all pages but one per page table, since the kernel frees empty tables. */
static void give_back(const struct region *r)
{
	size_t i;

	for (i = 0; i < PAGES; i += PMD_PAGES)
		madvise(region_page(r, i + 1), (PMD_PAGES - 1) * PAGE_BYTES, MADV_DONTNEED);
}

int main(void)
{
	struct region r;

	quick = getenv("XPAGEMAP_BENCH_QUICK") && *getenv("XPAGEMAP_BENCH_QUICK");
	make(&r, false);
	run("never touched (hole)", &r);
	region_fill(&r);
	give_back(&r);
	run("given back (empty PTEs)", &r);
	region_fill(&r);
	run("private, resident", &r);
	swap_out(&r, 1);
	run("private, swapped", &r);
	region_free(&r);

	make(&r, true);
	region_fill(&r);
	run("shared, resident", &r);
	swap_out(&r, 2);
	if (!quick)
		run("shared, every 2nd page swapped", &r);
	swap_out(&r, 1);
	run("shared, swapped", &r);
	region_fill(&r);
	swap_out(&r, 1);
	run("shared, swapped, consecutive slots", &r);
	region_free(&r);
	run_large();

	if (!source_is_proc()) {
		run_swapmap("1000 shared pages swapped, side by side", 1);
		run_swapmap("1000 shared pages swapped, in 1 TiB", SPARSE_PAGES / LISTED);
	}
	return 0;
}
