// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl(SHMEM_SCAN) against everything that moves pages into swap and out of it: writers,
 * truncation, holes, reclaim by cgroup and by kswapd, MADV_PAGEOUT, swap-in by faults, by
 * read() and by read-ahead, collapse, and split of large entries.
 *
 * Two files, one of small folios and one of 2 MiB folios, are changed all the time, each by one
 * process (lib/storm/churn.c), which keeps a shadow (lib/storm/shadow.h): the contents of each
 * page, and a sequence number of each stretch of pages that is odd while they are being
 * changed. Others move the pages of stretches that are never changed. Scanners
 * (lib/storm/scanned.c) scan parts of the files. A page is unchanged if its stretch's number
 * was even before the scan and is the same after it: it had the shadow's contents all the time,
 * wherever it was. Of an unchanged page
 *
 * 1. with data, the categories tell data: dirty, or swapped and not zero. Never none;
 * 2. without data, the categories do not tell that it is in swap;
 * 3. the bytes, read after the scan, are those of the shadow.
 *
 * At the end, all processes are stopped, and all pages are scanned and read.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/agreement.h"
#include "lib/storm/scanned.h"

#define SMALL_PAGES	2048
#define LARGE_PAGES	(5 * PMD_PAGES)
#define DEFAULT_SECONDS	20
#define SCANNERS	2
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged"
#define VM		"/proc/sys/vm/"
#define WATERMARK	"2000"	/* distance of the watermarks, in 1/10000 of memory */
#define LOW		15	/* percent of memory: less than the low one on every node */
#define HOG_PAUSE_US	500000

enum { SMALL, LARGE, FILES };

struct results {
	struct churn_counts counts[FILES];
	struct scanned scanned[SCANNERS];
	size_t touched, read_ahead, paged_out, collapsed, hogged;
	bool relieved;	/* no more memory is taken: a collapse needs 2 MiB of it */
};

FIXTURE(shmem_scan_storm) {
	struct shadows *all;
	struct results *results;
	struct largefile large;
	struct setting sleep, swapped, watermark;
	struct cgroup cg[FILES];
	struct churn churn[FILES];
	struct child writer[FILES], reclaimer, mover, hog, scanner[SCANNERS];
};

/* Every fourth stretch of the small file, but at its end, and 2 MiB of the large one. */
static void freeze(struct shadows *all)
{
	size_t i;

	for (i = 0; i < SMALL_PAGES / STRETCH_PAGES * 3 / 4; i += 4)
		all->of[SMALL].frozen[i] = true;
	for (i = 0; i < PMD_PAGES / STRETCH_PAGES; i++)
		all->of[LARGE].frozen[i] = true;
}

static void make_files(struct __test_metadata *_metadata, FIXTURE_DATA(shmem_scan_storm) * self)
{
	struct region r[FILES];
	size_t first;
	int i;

	ASSERT_EQ(0, region_map_memfd(&r[SMALL], SMALL_PAGES));
	ASSERT_EQ(0, largefile_map(&self->large, &r[LARGE], PMD_PAGES, LARGE_PAGES));
	for (i = 0; i < FILES; i++) {
		struct shadow *sh = &self->all->of[i];

		shadow_open(sh, &r[i]);
		ASSERT_EQ(0, cgroup_create(&self->cg[i]));
		self->churn[i] = (struct churn){
			.all = self->all, .sh = sh, .cg = &self->cg[i],
			.counts = &self->results->counts[i],
		};
		for (first = 0; first < sh->region.pages; first += PMD_PAGES)
			ASSERT_TRUE(churn_block(&self->churn[i], first));
	}
	freeze(self->all);
}

/* The arguments of all children. */
struct stormy {
	struct shadows *all;
	struct results *results;
	struct churn *churn;
};

static int write_file_until_stopped(struct child *c, void *arg)
{
	const struct churn *ch = arg;

	(void)c;
	return !!churn_run(ch, ch->sh == &ch->all->of[LARGE]);
}

static int reclaim_until_stopped(struct child *c, void *arg)
{
	(void)c;
	return churn_reclaim(arg, FILES);
}

/* A page of a stretch that is never changed. */
static size_t frozen_page(const struct shadow *sh)
{
	size_t page;

	do
		page = random_below(sh->region.pages);
	while (!sh->frozen[page / STRETCH_PAGES]);
	return page;
}

/* Reads the frozen 2 MiB, and collapses them. Returns the number of collapses. */
static size_t collapse_frozen(const struct shadow *sh)
{
	size_t i;

	for (i = 0; i < PMD_PAGES; i++)
		asm volatile("" : : "r"(*region_page(&sh->region, i)) : "memory");
	return !madvise(region_page(&sh->region, 0), PMD_BYTES, MADV_COLLAPSE);
}

static bool is_relieved(const struct stormy *s)
{
	return __atomic_load_n(&s->results->relieved, __ATOMIC_RELAXED);
}

/* Swaps frozen pages in and out, and collapses the frozen 2 MiB. */
static int move_until_stopped(struct child *c, void *arg)
{
	struct stormy *s = arg;
	struct shadow *sh;
	unsigned char byte;
	void *block;
	size_t page;

	(void)c;
	block = region_page(&s->all->of[LARGE].region, 0);
	while (!atomic_load(&s->all->stop)) {
		sh = &s->all->of[random_below(FILES)];
		page = frozen_page(sh);
		if (is_relieved(s) && !s->results->collapsed)
			s->results->collapsed += collapse_frozen(&s->all->of[LARGE]);
		switch (random_below(32)) {
		case 0:
			s->results->collapsed += !madvise(block, PMD_BYTES, MADV_COLLAPSE);
			break;
		case 1:
			madvise(block, PMD_BYTES, MADV_PAGEOUT);
			s->results->paged_out++;
			break;
		case 2:
			/* Read-ahead of one stretch: the next may be a hole's, and stays one. */
			page -= page % STRETCH_PAGES;
			madvise(region_page(&sh->region, page), STRETCH_PAGES * PAGE_BYTES,
				MADV_WILLNEED);
			s->results->read_ahead++;
			break;
		case 3:
			page -= page % STRETCH_PAGES;
			madvise(region_page(&sh->region, page), STRETCH_PAGES * PAGE_BYTES,
				MADV_PAGEOUT);
			s->results->paged_out++;
			break;
		case 4:
			if (pread(sh->region.fd, &byte, 1, page * PAGE_BYTES) != 1)
				return 1;
			s->results->touched++;
			break;
		default:
			if (!pattern_matches(region_page(&sh->region, page), sh->ids[page],
					     sh->region.first + page)) {
				ksft_print_msg("page %zu is damaged\n", page);
				atomic_store(&s->all->stop, true);
				return 1;
			}
			s->results->touched++;
		}
	}
	return 0;
}

/*
 * Locks memory until kswapd must reclaim, gives all of it back, and takes it again: kswapd gives
 * up after 16 failures (MAX_RECLAIM_RETRIES), until others reclaim while enough memory is free.
 */
static int hog_until_stopped(struct child *c, void *arg)
{
	size_t low = meminfo_bytes("MemTotal") / 100 * LOW;
	struct stormy *s = arg;
	struct hog hog;

	(void)c;
	if (hog_open(&hog))
		return 1;
	/*
	 * Page by page, the debug kernel needs minutes. khugepaged sleeps. Allocations of 2 MiB
	 * wake no kswapd (GFP_TRANSHUGE), those of others do.
	 */
	madvise(hog.addr, hog.bytes, MADV_HUGEPAGE);
	while (!atomic_load(&s->all->stop)) {
		while (!is_relieved(s) && meminfo_bytes("MemFree") > low && hog_takes(&hog))
			s->results->hogged++;
		usleep(HOG_PAUSE_US);
		while (hog.taken)
			hog_gives_back(&hog);
		usleep(HOG_PAUSE_US);
	}
	return 0;
}

struct scanner_args {
	struct shadows *all;
	struct scanned *scanned;
};

static int scan_until_stopped(struct child *c, void *arg)
{
	const struct scanner_args *args = arg;
	int err = scanned_run(args->all, args->scanned);

	(void)c;
	if (err)
		ksft_print_msg("scanning: %s\n", strerror(-err));
	return !!err;
}

FIXTURE_SETUP(shmem_scan_storm)
{
	self->all = shadows_create();
	ASSERT_NE(NULL, self->all);
	self->results = mmap(NULL, sizeof(*self->results), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->results);
	ASSERT_EQ(0, setting_change(&self->sleep, KHUGEPAGED "/scan_sleep_millisecs", "86400000"));
	/* MADV_COLLAPSE of pages in swap too, which are read in. */
	ASSERT_EQ(0, setting_change(&self->swapped, KHUGEPAGED "/max_ptes_swap", "511"));
	ASSERT_EQ(0, setting_change(&self->watermark, VM "watermark_scale_factor", WATERMARK));
	make_files(_metadata, self);
}

FIXTURE_TEARDOWN(shmem_scan_storm)
{
	int i;

	for (i = 0; i < SCANNERS; i++)
		child_kill(&self->scanner[i]);
	child_kill(&self->hog);
	child_kill(&self->mover);
	child_kill(&self->reclaimer);
	for (i = 0; i < FILES; i++) {
		child_kill(&self->writer[i]);
		region_free(&self->all->of[i].region);
		EXPECT_EQ(0, cgroup_destroy(&self->cg[i]));
	}
	EXPECT_EQ(0, largefile_remove(&self->large));
	EXPECT_EQ(0, setting_restore(&self->watermark));
	EXPECT_EQ(0, setting_restore(&self->swapped));
	EXPECT_EQ(0, setting_restore(&self->sleep));
	munmap(self->results, sizeof(*self->results));
	shadows_destroy(self->all);
}

static size_t collapses(const struct results *res)
{
	return __atomic_load_n(&res->counts[LARGE].collapsed, __ATOMIC_RELAXED) +
	       __atomic_load_n(&res->collapsed, __ATOMIC_RELAXED);
}

static long long stolen_by_kswapd(void)
{
	return read_value("/proc/vmstat", "pgsteal_kswapd");
}

/*
 * Memory that a slow kernel has not taken until kswapd reclaims when the time is over, is taken
 * while the writers and the reclaimer wait. A collapse needs 2 MiB of memory, and fails if one of
 * the pages is being reclaimed, or in a CPU's batch since it was read: if there was none, memory
 * is given back, these still wait, and the scanners only scan.
 */
static void make_room(FIXTURE_DATA(shmem_scan_storm) * self, bool over, bool stolen)
{
	struct results *res = self->results;
	bool alone = over && (!stolen || !collapses(res));
	int i;

	__atomic_store_n(&res->relieved, over && stolen, __ATOMIC_RELAXED);
	atomic_store(&self->all->unread, alone);
	kill(self->reclaimer.pid, alone ? SIGSTOP : SIGCONT);
	for (i = 0; i < FILES; i++)
		kill(self->writer[i].pid, alone ? SIGSTOP : SIGCONT);
}

/* True if each kind of change was made at least once. */
static bool all_happened(const struct results *res, long long stolen)
{
	const struct churn_counts *small = &res->counts[SMALL], *large = &res->counts[LARGE];

	return small->refilled && small->touched && small->punched && small->truncated &&
	       small->paged_out && large->whole && large->split &&
	       collapses(res) && res->touched && res->read_ahead &&
	       res->paged_out && stolen > 0;
}

static void start(struct __test_metadata *_metadata, FIXTURE_DATA(shmem_scan_storm) * self)
{
	struct stormy s = { self->all, self->results, self->churn };
	int i;

	for (i = 0; i < FILES; i++)
		ASSERT_EQ(0, child_start(&self->writer[i], write_file_until_stopped,
					 &self->churn[i]));
	ASSERT_EQ(0, child_start(&self->reclaimer, reclaim_until_stopped, self->churn));
	ASSERT_EQ(0, child_start(&self->mover, move_until_stopped, &s));
	ASSERT_EQ(0, child_start(&self->hog, hog_until_stopped, &s));
	for (i = 0; i < SCANNERS; i++) {
		struct scanner_args args = { self->all, &self->results->scanned[i] };

		ASSERT_EQ(0, child_start(&self->scanner[i], scan_until_stopped, &args));
	}
}

TEST_F_TIMEOUT(shmem_scan_storm, no_data_is_missed, STORM_TIMEOUT)
{
	struct results *res = self->results;
	struct scanned sum = {}, last = {};
	long long stolen = stolen_by_kswapd();
	time_t until;
	int i;

	start(_metadata, self);
	until = time(NULL) + storm_seconds(DEFAULT_SECONDS);
	/* On a busy machine it takes longer until each kind of change was made. */
	while (!atomic_load(&self->all->stop) &&
	       (time(NULL) < until || (time(NULL) < until + STORM_PATIENCE &&
				       !all_happened(res, stolen_by_kswapd() - stolen)))) {
		make_room(self, time(NULL) >= until, stolen_by_kswapd() > stolen);
		usleep(50000);
	}
	make_room(self, false, false);
	EXPECT_FALSE(atomic_exchange(&self->all->stop, true)) TH_LOG("ended early");
	for (i = 0; i < SCANNERS; i++) {
		EXPECT_TRUE(child_ended_well(&self->scanner[i]));
		scanned_add(&sum, &res->scanned[i]);
	}
	EXPECT_TRUE(child_ended_well(&self->hog));
	EXPECT_TRUE(child_ended_well(&self->mover));
	EXPECT_TRUE(child_ended_well(&self->reclaimer));
	for (i = 0; i < FILES; i++)
		EXPECT_TRUE(child_ended_well(&self->writer[i]));
	stolen = stolen_by_kswapd() - stolen;
	EXPECT_EQ(0, scanned_all(self->all, &last));

	churn_counts_print(&res->counts[SMALL], "small folios");
	churn_counts_print(&res->counts[LARGE], "2 MiB folios");
	ksft_print_msg("frozen: touched %zu, read ahead %zu, paged out %zu, collapsed %zu times\n",
		       res->touched, res->read_ahead, res->paged_out, res->collapsed);
	ksft_print_msg("kswapd reclaimed %lld pages, memory was taken %zu times\n", stolen,
		       res->hogged);
	scanned_print(&sum, "during the storm");
	scanned_print(&last, "after the storm");
	EXPECT_EQ(0, sum.wrong);
	EXPECT_EQ(0, last.wrong);

	/* Each kind of change was made, and each kind of check. */
	EXPECT_TRUE(all_happened(res, stolen));
	EXPECT_LT(0, sum.cached);
	EXPECT_LT(0, sum.swapped);
	EXPECT_LT(0, sum.holes);
	EXPECT_LT(0, sum.read);
	EXPECT_EQ(SMALL_PAGES + LARGE_PAGES, last.unchanged);
}

TEST_HARNESS_MAIN
