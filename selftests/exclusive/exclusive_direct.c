// SPDX-License-Identifier: GPL-2.0
/*
 * A read with O_DIRECT into pages of a process that forks meanwhile. The pages are pinned
 * until the read ends, and the parent gets the data.
 */
#include <fcntl.h>
#include <pthread.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	8
#define SLOTS	64
#define TRIES	1000
#define PAUSE_US 10000

FIXTURE(exclusive_direct) {
	struct region region;	/* buffer of the read */
	struct region expected;	/* contents of the disk */
	struct exclusive ex, other;
	char below[SWAPDEV_PATH], path[SWAPDEV_PATH];
	__u64 frames[PAGES];
	pthread_t reader;
	int disk;
	long got;
};

FIXTURE_SETUP(exclusive_direct)
{
	int fd;

	TEARDOWN_FROM_HERE();
	fd = swapdev_loop(SLOTS, self->below);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(-fd));
	ASSERT_EQ(0, dm_create(self->below, SLOTS, self->path, sizeof(self->path)));
	close(fd);
	ASSERT_EQ(0, region_map_private_anon(&self->expected, PAGES));
	region_fill(&self->expected);
	self->disk = open(self->path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, self->disk) TH_LOG("%m");
	ASSERT_EQ((long)(PAGES * PAGE_BYTES),
		  pwrite(self->disk, self->expected.addr, PAGES * PAGE_BYTES, 0));
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN_PARENT(exclusive_direct)
{
	if (self->path[0])
		EXPECT_EQ(0, dm_hold(false));
	if (self->other.attached)
		EXPECT_EQ(0, detach(self->other.pid));
	if (self->ex.attached)
		EXPECT_EQ(0, detach(self->ex.pid));
	EXPECT_EQ(0, dm_remove());
}

static void *read_disk(void *arg)
{
	FIXTURE_DATA(exclusive_direct) * self = arg;

	self->got = pread(self->disk, self->region.addr, PAGES * PAGE_BYTES, 0);
	return NULL;
}

/* Reads in a thread, and waits until the pages are pinned. */
static int start_reading(FIXTURE_DATA(exclusive_direct) * self)
{
	int tries, err = -pthread_create(&self->reader, NULL, read_disk, self);

	if (err)
		return err;
	for (tries = 0; tries < TRIES; tries++) {
		if (exclusive_count(&self->ex, self->region.addr, PAGES, EX_MAYBE_PINNED,
				    EX_MAYBE_PINNED) == PAGES)
			return 0;
		usleep(PAUSE_US);
	}
	return -ETIMEDOUT;
}

static int compare_when_told(struct child *c, void *arg)
{
	return !child_hear(c) || region_damaged(arg);
}

TEST_F(exclusive_direct, fork_copies_what_is_being_read_into)
{
	struct region *r = &self->region;
	struct child child;
	int status;

	ASSERT_EQ(0, dm_hold(true));
	ASSERT_EQ(0, start_reading(self));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE,
					 EX_OWN | EX_MAYBE_PINNED));
	ASSERT_EQ(0, exclusive_child(&self->other, &child, compare_when_told, r));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE,
					 EX_OWN | EX_MAYBE_PINNED));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, frames_kept(&self->other, r, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->other, r->addr, PAGES,
					 EX_EXCLUSIVE | EX_MAYBE_PINNED, EX_EXCLUSIVE));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));

	ASSERT_EQ(0, dm_hold(false));
	ASSERT_EQ(0, pthread_join(self->reader, NULL));
	EXPECT_EQ((long)(PAGES * PAGE_BYTES), self->got);
	EXPECT_EQ(0, memcmp(r->addr, self->expected.addr, PAGES * PAGE_BYTES));
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE, EX_OWN));
	/* The child's copies have the contents from before the read. */
	EXPECT_TRUE(child_tell(&child));
	EXPECT_EQ(0, exclusive_close(&self->other));
	status = child_wait(&child);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* Pages that are shared before the read: the pin copies them. */
TEST_F(exclusive_direct, read_into_shared_pages_copies_them_first)
{
	struct region *r = &self->region;
	struct child child;

	ASSERT_EQ(0, exclusive_child_idle(&self->other, &child));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE, EX_PRESENT));
	ASSERT_EQ(0, dm_hold(true));
	ASSERT_EQ(0, start_reading(self));
	EXPECT_EQ(PAGES, exclusive_count(&self->ex, r->addr, PAGES, EX_STATE,
					 EX_OWN | EX_MAYBE_PINNED));
	EXPECT_EQ(0, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(PAGES, frames_kept(&self->other, r, self->frames));
	ASSERT_EQ(0, dm_hold(false));
	ASSERT_EQ(0, pthread_join(self->reader, NULL));
	EXPECT_EQ((long)(PAGES * PAGE_BYTES), self->got);
	EXPECT_EQ(0, memcmp(r->addr, self->expected.addr, PAGES * PAGE_BYTES));
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
	child_kill(&child);
}

TEST_HARNESS_MAIN
