// SPDX-License-Identifier: GPL-2.0
/*
 * UFFDIO_MOVE against walks of the reverse mapping: reclaim, page_idle, migration. No page
 * is lost or mapped twice, and no rule is broken at any time.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 64

FIXTURE(exclusive_move_storm) {
	struct region here, there;	/* one of the two has the pages */
	struct exclusive ex;
	struct cgroup cg;
	struct kpage kp;
	struct storm storm;
	int from_there, to_there;	/* userfaultfds of the two */
};

FIXTURE_SETUP(exclusive_move_storm)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_apart(&self->here, PAGES));
	ASSERT_EQ(0, region_map_apart(&self->there, PAGES));
	self->there.id = self->here.id;
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->here);
	self->to_there = uffd_watch(&self->there);
	self->from_there = uffd_watch(&self->here);
	ASSERT_LE(0, self->to_there);
	ASSERT_LE(0, self->from_there);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
}

FIXTURE_TEARDOWN(exclusive_move_storm)
{
	EXPECT_EQ(0, cgroup_leave());
	EXPECT_EQ(0, exclusive_close(&self->ex));
	close(self->to_there);
	close(self->from_there);
	region_free(&self->here);
	region_free(&self->there);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
	kpage_close(&self->kp);
}

/*
 * Moves all pages. EBUSY means that reclaim, migration or a walk holds the page: tries
 * again.
 */
static int move_all(int uffd, const struct region *to, const struct region *from)
{
	size_t i;
	long err;
	int tries;

	for (i = 0; i < PAGES; i++) {
		for (tries = 0; tries < 100000; tries++) {
			err = uffd_move(uffd, region_page(to, i), region_page(from, i), 1);
			if (err != -EBUSY)
				break;
		}
		if (err != 1)
			return err ?: -EIO;
	}
	return 0;
}

/* Moves the pages there and back, and reads them at both addresses. */
static int move_and_compare(struct storm_thread *t)
{
	FIXTURE_DATA(exclusive_move_storm) * self = t->arg;
	int err;

	err = move_all(self->to_there, &self->there, &self->here);
	if (err)
		return err;
	if (t->rounds % 2 && region_damaged(&self->there))
		return -EILSEQ;
	err = move_all(self->from_there, &self->here, &self->there);
	if (err)
		return err;
	return t->rounds % 3 == 0 && region_damaged(&self->here) ? -EILSEQ : 0;
}

/* Reclaim by the LRU lists, and so by the reverse mapping; few pages, often. */
static int reclaim(struct storm_thread *t)
{
	FIXTURE_DATA(exclusive_move_storm) * self = t->arg;
	int err = cgroup_reclaim(&self->cg, 4 * PAGE_BYTES);

	return err == -EAGAIN ? 0 : err;
}

/* Marks a page idle and reads the mark: both walk the reverse mapping. */
static int mark_idle(struct storm_thread *t)
{
	FIXTURE_DATA(exclusive_move_storm) * self = t->arg;
	size_t i = t->rounds % PAGES;
	__u64 frame = frame_at(&self->ex, region_page(&self->here, i)) ?:
		      frame_at(&self->ex, region_page(&self->there, i));
	__u64 bits = ~0ULL;
	off_t at = frame / 64 * sizeof(bits);
	int fd = open("/sys/kernel/mm/page_idle/bitmap", O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (frame && (pwrite(fd, &bits, sizeof(bits), at) < 0 ||
		      pread(fd, &bits, sizeof(bits), at) < 0))
		err = -errno;
	close(fd);
	return err;
}

static int migrate(struct storm_thread *t)
{
	FIXTURE_DATA(exclusive_move_storm) * self = t->arg;
	size_t i = t->rounds % PAGES;
	struct region *r = t->rounds % 2 ? &self->here : &self->there;

	/* May fail: the page may be in the other region, or be moving. */
	migrate_page(&self->ex, region_page(r, i));
	usleep(2000);
	return 0;
}

static int check_rules(struct storm_thread *t)
{
	FIXTURE_DATA(exclusive_move_storm) * self = t->arg;
	long violations = violations_of(&self->ex);

	usleep(1000);
	return violations > 0 ? -EPROTO : violations;
}

TEST_F_TIMEOUT(exclusive_move_storm, reverse_mapping_finds_what_moves, STORM_TIMEOUT)
{
	struct storm *s = &self->storm;

	storm_add(s, "moved there and back", move_and_compare, 0, self);
	storm_add(s, "reclaimed", reclaim, 0, self);
	storm_add(s, "marked idle", mark_idle, 0, self);
	storm_add(s, "rules checked", check_rules, 0, self);
	EXPECT_EQ(0, storm_run(s));
	EXPECT_EQ(0, region_damaged(&self->here));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->here, EX_OWN, 1));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, self->there.addr, PAGES, ~0ULL, 0));
	/* Reclaim finds all pages at their last addresses. */
	EXPECT_EQ(0, region_pageout(&self->here));
	EXPECT_EQ(0, region_damaged(&self->here));
}

TEST_F_TIMEOUT(exclusive_move_storm, migration_finds_what_moves, STORM_TIMEOUT)
{
	struct storm *s = &self->storm;

	storm_add(s, "moved there and back", move_and_compare, 0, self);
	storm_add(s, "migrated", migrate, 0, self);
	storm_add(s, "rules checked", check_rules, 0, self);
	EXPECT_EQ(0, storm_run(s));
	EXPECT_EQ(0, region_damaged(&self->here));
	EXPECT_EQ(PAGES, crosscheck_count(&self->ex, &self->kp, &self->here, EX_OWN, 1));
}

TEST_HARNESS_MAIN
