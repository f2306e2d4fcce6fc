// SPDX-License-Identifier: GPL-2.0
/*
 * Readers of PID/page against all that moves pages: forks and exits, migration, KSM, splits
 * of huge pages, UFFDIO_MOVE and swap. A text is whole, and its lines agree with each other.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	32
#define FRAME	((1ULL << 55) - 1)

enum { PLAIN, EQUAL, HERE, THERE, THP, REGIONS };

FIXTURE(page_storm) {
	struct region regions[REGIONS];
	struct exclusive ex;
	struct ksm ksm;
	struct storm storm;
	int to_there, from_there;	/* userfaultfds */
	int fds[2];			/* PID/page, one for each reader */
	unsigned long looked, whole;	/* by the readers */
};

FIXTURE_SETUP(page_storm)
{
	size_t i;

	TEARDOWN_FROM_HERE();
	for (i = 0; i < THP; i++)
		ASSERT_EQ(0, region_map_apart(&self->regions[i], PAGES));
	ASSERT_EQ(0, thp_map(&self->regions[THP], 1));
	region_fill(&self->regions[PLAIN]);
	self->regions[THERE].id = self->regions[HERE].id;
	region_fill(&self->regions[HERE]);
	ASSERT_EQ(0, madvise(self->regions[EQUAL].addr, PAGES * PAGE_BYTES, MADV_MERGEABLE));
	self->to_there = uffd_watch(&self->regions[THERE]);
	self->from_there = uffd_watch(&self->regions[HERE]);
	ASSERT_LE(0, self->to_there);
	ASSERT_LE(0, self->from_there);
	ASSERT_EQ(0, ksm_start(&self->ksm));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	for (i = 0; i < ARRAY_SIZE(self->fds); i++) {
		self->fds[i] = page_open(getpid());
		ASSERT_LE(0, self->fds[i]);
	}
}

FIXTURE_TEARDOWN(page_storm)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(self->fds); i++)
		close(self->fds[i]);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	EXPECT_EQ(0, ksm_stop(&self->ksm));
	close(self->to_there);
	close(self->from_there);
}

/* Lines of a page that stood still must agree. */
static int agree(const struct page_view *v, const void *addr)
{
	bool present = v->pagemap & PM_PRESENT;

	if (v->malformed || v->addr != (unsigned long)addr || !*v->write || !*v->fork)
		return -EBADMSG;
	if (v->comments)
		return 0;
	if (present && (v->pagemap & FRAME) != v->frame)
		return -EILSEQ;
	if (v->folio.found && (!present || v->frame < v->folio.frame ||
			       v->frame >= v->folio.frame + (1ULL << v->folio.order)))
		return -ERANGE;
	/* Nothing maps a page that is being migrated. */
	if (!strcmp(v->write_reason, "migration"))
		return 0;
	if (v->anon_vma && v->sharers < PAGE_SHARERS && !page_has_sharer(v, getpid(), addr))
		return -ESRCH;
	return 0;
}

static int look(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;
	struct region *r = &self->regions[random() % REGIONS];
	unsigned char *addr = region_page(r, random() % PAGES);
	struct page_view v;
	int err;

	err = page_at(self->fds[t->number], addr, &v) ?: agree(&v, addr);
	if (err)
		ksft_print_msg("%p: %d: %s %s, frame %llu, %zu sharers, %zu comments\n", addr,
			       err, v.write, v.write_reason, v.frame, v.sharers, v.comments);
	__atomic_fetch_add(&self->looked, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&self->whole, !v.comments, __ATOMIC_RELAXED);
	return err;
}

/* Reads and writes some pages, so that they are copied. */
static int copy_some(struct child *c, void *arg)
{
	FIXTURE_DATA(page_storm) * self = arg;
	size_t i;

	(void)c;
	for (i = 0; i < PAGES; i += 3)
		++*region_page(&self->regions[PLAIN], i);
	return 0;
}

static int fork_and_wait(struct storm_thread *t)
{
	return child_run(copy_some, t->arg);
}

static int migrate(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;

	/* May fail: the page may be shared, pinned for a moment, or in swap. */
	migrate_page(&self->ex, region_page(&self->regions[PLAIN], random() % PAGES));
	return 0;
}

/* Makes pages equal, for KSM to merge, or different. */
static int equal_or_not(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;
	struct region *r = &self->regions[EQUAL];

	if (t->rounds % 2)
		region_fill(r);
	else
		memset(r->addr, 0x33, PAGES * PAGE_BYTES);
	usleep(20000);
	return 0;
}

static int split_and_collapse(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;
	struct region *r = &self->regions[THP];

	if (t->rounds % 2)
		thp_collapse(r, 0);
	else
		thp_split(r);
	return 0;
}

static int move(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;
	size_t i = t->rounds / 2 % PAGES;
	struct region *here = &self->regions[HERE], *there = &self->regions[THERE];

	/* May fail: the page may be shared with a child, or looked at. */
	if (t->rounds % 2)
		uffd_move(self->from_there, region_page(here, i), region_page(there, i), 1);
	else
		uffd_move(self->to_there, region_page(there, i), region_page(here, i), 1);
	return 0;
}

static int swap_out(struct storm_thread *t)
{
	FIXTURE_DATA(page_storm) * self = t->arg;
	struct region *r = &self->regions[random() % REGIONS];

	usleep(1000);
	return madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT) ? -errno : 0;
}

static bool looked_enough(const void *arg)
{
	const FIXTURE_DATA(page_storm) * self = arg;

	return __atomic_load_n(&self->whole, __ATOMIC_RELAXED) >= 20;
}

TEST_F_TIMEOUT(page_storm, texts_are_whole, STORM_TIMEOUT)
{
	struct storm *s = &self->storm;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(self->fds); i++)
		storm_add(s, "looked at", look, i, self);
	storm_add(s, "forked", fork_and_wait, 0, self);
	storm_add(s, "migrated", migrate, 0, self);
	storm_add(s, "made equal or not", equal_or_not, 0, self);
	storm_add(s, "split or collapsed", split_and_collapse, 0, self);
	storm_add(s, "moved", move, 0, self);
	storm_add(s, "swapped out", swap_out, 0, self);
	s->enough = looked_enough;
	s->arg = self;
	EXPECT_EQ(0, storm_run(s));
	ksft_print_msg("%lu of %lu texts are of a page that stood still\n", self->whole,
		       self->looked);
	EXPECT_LE(20, self->whole);
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_HARNESS_MAIN
