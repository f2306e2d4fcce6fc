// SPDX-License-Identifier: GPL-2.0
/*
 * Readers against everything that moves pages into swap, within swap and out of it. Each
 * entry of a shared mapping must have been true at some moment during the read.
 *
 * Two files are changed all the time, one of small folios and one of 2 MiB folios, each
 * by one process (lib/storm/churn.c). It keeps a shadow (lib/storm/shadow.h): a stretch of
 * 16 pages has a sequence number that is odd while its pages are being changed, and each
 * page has the contents written last. Some stretches are frozen: never changed. Readers
 * (lib/storm/checker.c) read windows of any size from PID/pagemap of the process that
 * changes the file, from that of a process with hardly a page table for it, and from
 * files/ID/filemap. A stretch is unchanged if its number was even before the read and is
 * the same after it.
 *
 * Entries that are wrong, and why they cannot be true:
 *
 * 1. An unchanged page that was in swap at slot S is shown anywhere but at S. A page in
 *    swap leaves its slot only by a fault on it, by a hole, a truncation or a collapse over
 *    it, by swapoff, or along with another page of its folio if that folio is still in the
 *    swap cache. The first kinds are not done to unchanged stretches; khugepaged sleeps, and
 *    the swap device stays. A folio that crosses stretches is dropped from the swap cache
 *    before their numbers become even, and folios made of their pages later, by
 *    read-ahead for instance, have one stretch at most. So the page was at S during the
 *    whole read. This finds the transients of a split: while pages inside a large
 *    entry are changed, its even stretches are not.
 * 2. A page is shown at S, where an earlier read has shown a page that has not been changed
 *    since; or one read shows both there, and both are unchanged. A slot has one
 *    owner at a time: the unchanged page had it during the whole read.
 * 3. An unchanged hole is shown as anything else; an unchanged page with contents is shown
 *    as a hole by the filemap. (A pagemap may show it as nothing: it may be in
 *    memory and not mapped.)
 * 4. A page is shown at S, and the bytes there are not the page's: of an unchanged page,
 *    those that the shadow has; of any other, those of any time, since the newest may
 *    not be written yet. Other bytes prove nothing at first: the slot may be new and
 *    its write under way, or S may have been freed and used again. So the disk is read, and
 *    then the unchanged page's sequence number, or the other's entry, again. If that differs,
 *    the case is counted as changed. If not, after some tries the reader takes
 *    change_lock, which all changes need, and goes on. Nothing can leave swap now, so
 *    an entry that still has S is of a page that stays at S, and its write is the
 *    last one to S: it ends long before the reader gives up. Since the entry is read again
 *    under the lock, this holds for a page that came back to S in between, too.
 * 5. An entry that a shared mapping cannot have.
 *
 * The disk is read past all caches. A torn read, half old and half new bytes, matches no
 * page, and is tried again. Each page's bytes are made from the file, the page's
 * number and the time of writing; no two are alike.
 *
 * An error that is over before the second read, in a page that is being changed just
 * then, is counted as changed, not as wrong. Unchanged stretches beside changed
 * ones, in the same window and in the same large entry, are there to find such errors.
 */
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SMALL_PAGES	2048
#define LARGE_PAGES	(6 * PMD_PAGES)
#define DEFAULT_SECONDS	20
#define READERS		2
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged"

enum { SMALL, LARGE, FILES };

/* Counts of each process, in shared memory. */
struct results {
	struct churn_counts counts[FILES];
	struct report report[READERS];
};

FIXTURE(storm) {
	struct shadows *all;
	struct results *results;
	struct largefile large;
	struct setting sleep, swapped;
	struct cgroup cg[FILES];
	struct churn churn[FILES];
	struct source src;
	char id[FILES][64];
	struct child writer[FILES], reclaimer, reader[READERS];
};

/* Every fourth stretch, except at the end of the file. */
static void freeze_small(struct shadow *sh)
{
	size_t i;

	for (i = 0; i < SMALL_PAGES / STRETCH_PAGES * 3 / 4; i += 4)
		sh->frozen[i] = true;
}

/* The first 2 MiB, and every second stretch of the next. */
static void freeze_large(struct shadow *sh)
{
	size_t i;

	for (i = 0; i < 2 * PMD_PAGES / STRETCH_PAGES; i++)
		sh->frozen[i] = i < PMD_PAGES / STRETCH_PAGES || i % 2 == 0;
}

static void make_files(struct __test_metadata *_metadata,
		       FIXTURE_DATA(storm) * self)
{
	struct region r[FILES];
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
		file_id(sh->region.fd, self->id[i], sizeof(self->id[i]));
		ASSERT_EQ(0, attach_fd(sh->region.fd));
	}
	freeze_small(&self->all->of[SMALL]);
	freeze_large(&self->all->of[LARGE]);
}

/* Swaps out all pages, and checks that they are located. */
static void swap_out(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self)
{
	struct survey s;
	size_t first;
	int i;

	for (i = 0; i < FILES; i++) {
		for (first = 0; first < self->all->of[i].region.pages; first += PMD_PAGES)
			ASSERT_TRUE(churn_block(&self->churn[i], first));
		ASSERT_EQ(0, survey_region(&self->src, &self->all->of[i].region, &s));
		ASSERT_EQ(s.pages, s.located) survey_print(&s, "before the storm");
	}
	ASSERT_LT(0, self->results->counts[LARGE].whole);
}

static int write_until_stopped(struct child *c, void *arg)
{
	const struct churn *ch = arg;
	int err;

	if (!child_hear(c))
		return 2;
	err = churn_run(ch, ch->sh == &ch->all->of[LARGE]);
	/* The readers read this address space until they exit. */
	child_hear(c);
	return !!err;
}

static int reclaim_until_stopped(struct child *c, void *arg)
{
	(void)c;
	return churn_reclaim(arg, FILES);
}

static int check_until_stopped(struct child *c, void *arg)
{
	const struct checker_args *args = arg;
	int err;

	(void)c;
	err = checker_run(args);
	if (err)
		ksft_print_msg("reading: %s\n", strerror(-err));
	atomic_store(&args->all->stop, true);
	return !!err;
}

static void start_reader(struct __test_metadata *_metadata,
			 FIXTURE_DATA(storm) * self, int reader)
{
	struct checker_args args = {
		.all = self->all, .report = &self->results->report[reader],
	};
	size_t i;

	for (i = 0; i < FILES; i++) {
		struct checker_view *v = &args.view[args.views];

		ASSERT_EQ(0, view_open_process(&v[0].v, self->writer[i].pid));
		ASSERT_EQ(0, view_open_process(&v[1].v, getpid()));
		ASSERT_EQ(0, view_open_file(&v[2].v, self->all->of[i].region.fd));
		v[0].shadow = i;
		v[1].shadow = i;
		v[2].shadow = i;
		args.views += 3;
	}
	ASSERT_EQ(0, child_start(&self->reader[reader], check_until_stopped, &args));
	for (i = 0; i < args.views; i++)
		close(args.view[i].v.fd);
}

FIXTURE_SETUP(storm)
{
	int i;

	self->all = shadows_create();
	ASSERT_NE(NULL, self->all);
	self->results = mmap(NULL, sizeof(*self->results), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->results);
	ASSERT_EQ(0, setting_change(&self->sleep, KHUGEPAGED "/scan_sleep_millisecs", "86400000"));
	ASSERT_EQ(0, setting_change(&self->swapped, KHUGEPAGED "/max_ptes_swap", "0"));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
	make_files(_metadata, self);
	swap_out(_metadata, self);
	for (i = 0; i < FILES; i++) {
		ASSERT_EQ(0, child_start(&self->writer[i], write_until_stopped,
					 &self->churn[i]));
		ASSERT_EQ(0, attach(self->writer[i].pid));
	}
	ASSERT_EQ(0, child_start(&self->reclaimer, reclaim_until_stopped, self->churn));
	for (i = 0; i < READERS; i++)
		start_reader(_metadata, self, i);
}

FIXTURE_TEARDOWN(storm)
{
	int i;

	for (i = 0; i < READERS; i++)
		child_kill(&self->reader[i]);
	child_kill(&self->reclaimer);
	for (i = 0; i < FILES; i++) {
		if (self->writer[i].pid)
			detach(self->writer[i].pid);
		child_kill(&self->writer[i]);
		region_free(&self->all->of[i].region);
		EXPECT_EQ(0, detach_fd(self->id[i]));
		EXPECT_EQ(0, cgroup_destroy(&self->cg[i]));
	}
	EXPECT_EQ(0, source_close(&self->src));
	EXPECT_EQ(0, largefile_remove(&self->large));
	EXPECT_EQ(0, setting_restore(&self->sleep));
	EXPECT_EQ(0, setting_restore(&self->swapped));
	munmap(self->results, sizeof(*self->results));
	shadows_destroy(self->all);
}

/* After the storm, pages are written, swapped out and located as ever. */
static void expect_all_located(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self)
{
	struct survey s;
	int i;

	for (i = 0; i < FILES; i++) {
		struct region *r = &self->all->of[i].region;

		region_fill(r);
		EXPECT_EQ(0, region_pageout(r));
		ASSERT_EQ(0, survey_region(&self->src, r, &s));
		EXPECT_EQ(s.pages, s.located);
		EXPECT_EQ(0, s.mistaken) survey_print(&s, "after the storm");
	}
}

/* True if each kind of change was made at least once. */
static bool all_happened(const struct churn_counts *small, const struct churn_counts *large)
{
	return small->refilled && small->touched && small->punched && small->truncated &&
	       small->paged_out && large->whole && large->split && large->collapsed;
}

TEST_F_TIMEOUT(storm, every_entry_was_true, STORM_TIMEOUT)
{
	const struct churn_counts *small = &self->results->counts[SMALL];
	const struct churn_counts *large = &self->results->counts[LARGE];
	struct report sum = {};
	time_t until;
	int i;

	for (i = 0; i < FILES; i++)
		ASSERT_TRUE(child_tell(&self->writer[i]));
	/* On a busy machine it takes longer until each kind of change was made. */
	until = time(NULL) + storm_seconds(DEFAULT_SECONDS);
	while (!atomic_load(&self->all->stop) &&
	       (time(NULL) < until ||
		(time(NULL) < until + STORM_PATIENCE && !all_happened(small, large))))
		usleep(50000);
	EXPECT_FALSE(atomic_exchange(&self->all->stop, true)) TH_LOG("ended early");
	for (i = 0; i < READERS; i++) {
		EXPECT_TRUE(child_ended_well(&self->reader[i]));
		report_add(&sum, &self->results->report[i]);
	}
	EXPECT_TRUE(child_ended_well(&self->reclaimer));
	for (i = 0; i < FILES; i++) {
		EXPECT_EQ(0, detach(self->writer[i].pid));
		child_tell(&self->writer[i]);
		EXPECT_TRUE(child_ended_well(&self->writer[i]));
	}
	churn_counts_print(small, "small folios");
	churn_counts_print(large, "2 MiB folios");
	report_print(&sum);
	EXPECT_EQ(0, sum.wrong);

	/* Each kind of change was made, and each kind of check. */
	EXPECT_TRUE(all_happened(small, large));
	EXPECT_LT(0, sum.constant);
	EXPECT_LT(0, sum.exact);
	EXPECT_LT(0, sum.own);
	expect_all_located(_metadata, self);
}

TEST_HARNESS_MAIN
