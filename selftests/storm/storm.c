// SPDX-License-Identifier: GPL-2.0
/*
 * Readers against everything that moves pages into swap, out of it and about
 * in it. To prove: each entry of a shared mapping was true at some moment during
 * the read.
 *
 * Two files are changed all the time, one of small folios and one of 2 MiB
 * folios, each by one process (lib/churn.c). It keeps a shadow (lib/shadow.h): a
 * stretch of 16 pages has a sequence number that is odd while its pages are being
 * changed, and for each page the shadow has the contents written last. Some
 * stretches are frozen: never changed at all. Readers (lib/checker.c) read
 * windows of any size from PID/pagemap of the process that changes the file, of
 * one that has hardly a page table for it, and from files/ID/filemap. A stretch
 * was calm during a read if its number was even before it and is the same after.
 *
 * What is wrong, and why nothing else can look the same:
 *
 * 1. A calm page that was in swap at slot S is said to be anywhere but at S. A
 *    page in swap leaves its slot only by a fault on it, by a hole, a truncation
 *    or a collapse over it, by swapoff, or along with another page of its folio,
 *    if the copy of that folio is still in memory. Nothing of the first kinds is
 *    done to calm stretches; khugepaged is put to sleep, and nobody takes the
 *    swap device away. A copy of a folio that crosses stretches is freed before
 *    these are called calm, and what is later made of a stretch's pages, be it by
 *    read-ahead, has one stretch at most. So S was true all through the read, and
 *    nothing else was at any moment of it. This is what finds the transients
 *    of a split: while pages are taken out of the midst of a large entry, its
 *    even stretches are calm.
 * 2. A page is said to be at S, and so was a calm page, by an earlier read, which
 *    has not been changed since; or both are calm and by the same read. A slot has
 *    one owner at a time: the calm page had it all the while.
 * 3. A calm hole is said to be anything but a hole; a calm page of contents is
 *    said by the filemap to be a hole. (In a pagemap it may show as nothing: it
 *    may be in memory and not mapped.)
 * 4. A page is said to be at S, and the bytes there are not the page's: of a calm
 *    page, those that the shadow has; of any other, those of any time, since they
 *    may not be written yet. Bytes that are not the page's prove nothing at
 *    first: the slot may be new and its write under way, or S may have been freed
 *    and used again. So the disk is read, then whether the page has moved: the
 *    calm page's number, the other's entry, read again. Where it has, the case is
 *    counted as ambiguous. Where it has not, after some tries the reader takes
 *    the lock that everybody needs who changes anything, and looks on. Now
 *    nothing can leave swap, so that an entry that still says S is of a page
 *    that is at S to stay, and its write is the last one to S: it ends, long
 *    before the reader gives up. The entry being read again in this silence, a
 *    page that came back to S in between is no exception.
 * 5. An entry that a shared mapping cannot have.
 *
 * The disk is read past all caches. A torn read, half old and half new bytes, is
 * nobody's page, and is tried again. Each page's bytes are made from the file, the
 * page's number and the time of writing; no two are alike.
 *
 * An error that lasts less than it takes to look twice, in a page that is being
 * changed just then, is ambiguous, not wrong: that is what calm stretches beside
 * changed ones, in the same window and in the same large entry, are for.
 */
#include <fcntl.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SMALL_PAGES	2048
#define LARGE_PAGES	(6 * PMD_PAGES)
#define DEFAULT_SECONDS	20
#define READERS		2
#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged"

enum { SMALL, LARGE, FILES };

/* In shared memory: what each process did and saw. */
struct stage {
	struct deeds deeds[FILES];
	struct report report[READERS];
};

FIXTURE(storm) {
	struct shadows *all;
	struct stage *stage;
	struct mounted fs;
	struct setting sleep, swapped;
	struct cgroup cg[FILES];
	struct churning churning[FILES];
	struct source src;
	char id[FILES][64];
	struct child writer[FILES], reclaimer, reader[READERS];
};

static size_t seconds(void)
{
	const char *text = getenv("XPAGEMAP_STORM_SECONDS");

	return text && *text ? strtoul(text, NULL, 10) : DEFAULT_SECONDS;
}

/* Every fourth stretch of small folios, but for the end of the file. */
static void freeze_small(struct shadow *l)
{
	size_t i;

	for (i = 0; i < SMALL_PAGES / STRETCH_PAGES * 3 / 4; i += 4)
		l->frozen[i] = true;
}

/* 2 MiB as a whole, and of the next every second stretch. */
static void freeze_large(struct shadow *l)
{
	size_t i;

	for (i = 0; i < 2 * PMD_PAGES / STRETCH_PAGES; i++)
		l->frozen[i] = i < PMD_PAGES / STRETCH_PAGES || i % 2 == 0;
}

static void make_files(struct __test_metadata *_metadata,
		       FIXTURE_DATA(storm) * self)
{
	struct region r[FILES];
	void *at;
	int fd, i;

	ASSERT_EQ(0, region_map_memfd(&r[SMALL], SMALL_PAGES));
	ASSERT_EQ(0, mounted_tmpfs(&self->fs, "huge=always"));
	fd = mounted_file(&self->fs, "file", LARGE_PAGES);
	ASSERT_LE(0, fd);
	at = region_find_aligned(LARGE_PAGES * PAGE_BYTES);
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, region_map(&r[LARGE], at, LARGE_PAGES, MAP_SHARED | MAP_FIXED, fd, 0));
	for (i = 0; i < FILES; i++) {
		struct shadow *l = &self->all->of[i];

		shadow_open(l, &r[i]);
		ASSERT_EQ(0, cgroup_create(&self->cg[i]));
		self->churning[i] = (struct churning){
			.all = self->all, .l = l, .cg = &self->cg[i],
			.deeds = &self->stage->deeds[i],
		};
		file_id(l->region.fd, self->id[i], sizeof(self->id[i]));
		ASSERT_EQ(0, attach_fd(l->region.fd));
	}
	freeze_small(&self->all->of[SMALL]);
	freeze_large(&self->all->of[LARGE]);
}

/* Everything in swap, and in no other place. */
static void swap_out(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self)
{
	struct survey s;
	size_t first;
	int i;

	for (i = 0; i < FILES; i++) {
		for (first = 0; first < self->all->of[i].region.pages; first += PMD_PAGES)
			ASSERT_TRUE(churn_block(&self->churning[i], first));
		ASSERT_EQ(0, survey_region(&self->src, &self->all->of[i].region, &s));
		ASSERT_EQ(s.pages, s.located) survey_print(&s, "before the storm");
	}
	ASSERT_LT(0, self->stage->deeds[LARGE].whole);
}

static int write_until_over(struct child *c, void *arg)
{
	const struct churning *ch = arg;
	int err;

	if (!child_hear(c))
		return 2;
	if (ch->l == &ch->all->of[LARGE])
		err = churn_large(ch);
	else
		err = cgroup_enter(ch->cg) ?: churn_small(ch);
	if (err)
		ksft_print_msg("changing a file: %s\n", strerror(-err));
	atomic_store(&ch->all->over, true);
	/* The readers need this address space for as long as they live. */
	child_hear(c);
	return !!err;
}

static int reclaim_until_over(struct child *c, void *arg)
{
	(void)c;
	return churn_reclaim(arg, FILES);
}

static int checker_until_over(struct child *c, void *arg)
{
	const struct brief *b = arg;
	int err;

	(void)c;
	err = checker_run(b);
	if (err)
		ksft_print_msg("reading: %s\n", strerror(-err));
	atomic_store(&b->all->over, true);
	return !!err;
}

static void start_reader(struct __test_metadata *_metadata,
			 FIXTURE_DATA(storm) * self, int reader)
{
	struct brief b = {
		.all = self->all, .report = &self->stage->report[reader],
	};
	size_t i;

	for (i = 0; i < FILES; i++) {
		struct checker_view *o = &b.view[b.views];

		ASSERT_EQ(0, view_open_process(&o[0].o, self->writer[i].pid));
		ASSERT_EQ(0, view_open_process(&o[1].o, getpid()));
		ASSERT_EQ(0, view_open_file(&o[2].o, self->all->of[i].region.fd));
		o[0].shadow = i;
		o[1].shadow = i;
		o[2].shadow = i;
		b.views += 3;
	}
	ASSERT_EQ(0, child_start(&self->reader[reader], checker_until_over, &b));
	for (i = 0; i < b.views; i++)
		close(b.view[i].o.fd);
}

FIXTURE_SETUP(storm)
{
	int i;

	self->all = shadows_create();
	ASSERT_NE(NULL, self->all);
	self->stage = mmap(NULL, sizeof(*self->stage), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->stage);
	ASSERT_EQ(0, setting_change(&self->sleep, KHUGEPAGED "/scan_sleep_millisecs", "86400000"));
	ASSERT_EQ(0, setting_change(&self->swapped, KHUGEPAGED "/max_ptes_swap", "0"));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
	make_files(_metadata, self);
	swap_out(_metadata, self);
	for (i = 0; i < FILES; i++) {
		ASSERT_EQ(0, child_start(&self->writer[i], write_until_over,
					 &self->churning[i]));
		ASSERT_EQ(0, attach(self->writer[i].pid));
	}
	ASSERT_EQ(0, child_start(&self->reclaimer, reclaim_until_over, self->churning));
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
	EXPECT_EQ(0, mounted_remove(&self->fs));
	EXPECT_EQ(0, setting_restore(&self->sleep));
	EXPECT_EQ(0, setting_restore(&self->swapped));
	munmap(self->stage, sizeof(*self->stage));
	shadows_destroy(self->all);
}

static bool ended_well(struct child *c)
{
	int status = child_wait(c);

	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Quiet again: every page is written, swapped out, and where it is said to be. */
static void expect_calm(struct __test_metadata *_metadata, FIXTURE_DATA(storm) * self)
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

/* Whether all has happened at least once that makes it a storm. */
static bool raged(const struct deeds *small, const struct deeds *large)
{
	return small->refilled && small->touched && small->punched && small->truncated &&
	       small->paged_out && large->whole && large->split && large->collapsed;
}

TEST_F_TIMEOUT(storm, every_entry_was_true, STORM_TIMEOUT)
{
	const struct deeds *small = &self->stage->deeds[SMALL];
	const struct deeds *large = &self->stage->deeds[LARGE];
	struct report sum = {};
	time_t start;
	int i;

	for (i = 0; i < FILES; i++)
		ASSERT_TRUE(child_tell(&self->writer[i]));
	/* On a machine that has other things to do, it takes longer to come up. */
	start = time(NULL);
	while (!atomic_load(&self->all->over) &&
	       time(NULL) - start < (time_t)seconds() * (raged(small, large) ? 1 : 5))
		usleep(50000);
	EXPECT_FALSE(atomic_exchange(&self->all->over, true)) TH_LOG("over before its time");
	for (i = 0; i < READERS; i++) {
		EXPECT_TRUE(ended_well(&self->reader[i]));
		report_add(&sum, &self->stage->report[i]);
	}
	EXPECT_TRUE(ended_well(&self->reclaimer));
	for (i = 0; i < FILES; i++) {
		EXPECT_EQ(0, detach(self->writer[i].pid));
		child_tell(&self->writer[i]);
		EXPECT_TRUE(ended_well(&self->writer[i]));
	}
	deeds_print(small, "small folios");
	deeds_print(large, "2 MiB folios");
	report_print(&sum);
	EXPECT_EQ(0, sum.wrong);

	/* It was a storm, and it was looked at. */
	EXPECT_TRUE(raged(small, large));
	EXPECT_LT(0, sum.constant);
	EXPECT_LT(0, sum.exact);
	EXPECT_LT(0, sum.own);
	expect_calm(_metadata, self);
}

TEST_HARNESS_MAIN
