// SPDX-License-Identifier: GPL-2.0
/*
 * Device-private memory, and device-exclusive access to pages, by the kernel's test driver
 * of HMM.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <test_hmm_uapi.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	16
#define DEVICE	"/dev/hmm_dmirror0"

FIXTURE(events_device) {
	struct region region;
	struct traced self;
	unsigned char *buffer;
	int fd;
	__u64 frames[PAGES];
};

FIXTURE_SETUP(events_device)
{
	self->fd = -1;
	if (access(DEVICE, F_OK))
		SKIP(return, "no " DEVICE ": the kernel has no driver with memory (TEST_HMM)");
	self->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd) TH_LOG("%m");
	self->buffer = calloc(PAGES, PAGE_BYTES);
	ASSERT_NE(NULL, self->buffer);
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	region_drain_batches();
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	frames_note(&self->self.ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(events_device)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	region_free(&self->region);
	free(self->buffer);
	if (self->fd >= 0)
		close(self->fd);
}

/* Returns the number of pages that the driver handled, or a negative errno. */
static long command(FIXTURE_DATA(events_device) * self, unsigned long what)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (unsigned long)self->region.addr,
		.ptr = (unsigned long)self->buffer,
		.npages = PAGES,
	};

	return ioctl(self->fd, what, &cmd) ? -errno : (long)cmd.cpages;
}

/* Number of pages with events @op, cause `device`, of any frame. */
static size_t count_device(const struct events *log, const struct region *r, enum event_op op)
{
	struct event like = { .op = op, .cause = CAUSE_DEVICE, .pid = getpid() };
	size_t i, pages = 0;

	for (i = 0; i < r->pages; i++) {
		like.addr = region_page(r, i);
		pages += events_count(log, &like) > 0;
	}
	return pages;
}

/* Number of events with another cause. */
static size_t count_others(const struct events *log, const struct region *r)
{
	const struct event *const *e;
	size_t i, j, count, others = 0;

	for (i = 0; i < r->pages; i++) {
		count = events_at(log, region_page(r, i), &e);
		for (j = 0; j < count; j++)
			others += e[j]->cause != CAUSE_DEVICE;
	}
	return others;
}

TEST_F(events_device, moved_to_the_device_and_back)
{
	struct events *log = &self->self.log;

	ASSERT_EQ(PAGES, command(self, HMM_DMIRROR_MIGRATE_TO_DEV));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_device(log, &self->region, OP_CLEAR));
	EXPECT_EQ(PAGES, count_device(log, &self->region, OP_SET));
	EXPECT_EQ(0, count_others(log, &self->region));
	ASSERT_EQ(0, events_start(getpid()));
	EXPECT_EQ(0, region_damaged(&self->region));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_device(log, &self->region, OP_CLEAR));
	EXPECT_EQ(PAGES, count_device(log, &self->region, OP_SET));
	EXPECT_EQ(0, count_others(log, &self->region));
}

/* An unpopulated address gets a new page on the device. */
TEST_F(events_device, page_that_begins_on_the_device)
{
	ASSERT_EQ(0, madvise(self->region.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(PAGES, command(self, HMM_DMIRROR_MIGRATE_TO_DEV));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { .op = OP_SET, .cause = CAUSE_DEVICE }));
}

TEST_F(events_device, exclusive_access_changes_nothing)
{
	ASSERT_EQ(PAGES, command(self, HMM_DMIRROR_EXCLUSIVE));
	EXPECT_EQ(0, region_damaged(&self->region));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->region, self->frames));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_HARNESS_MAIN
