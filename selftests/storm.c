// SPDX-License-Identifier: GPL-2.0
/*
 * Readers against everything that changes what they read. Nothing may crash, no
 * entry may be one that the contract does not know, and when it is quiet again
 * every place is right.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	2048
#define SECONDS	3
#define READERS	2

FIXTURE(storm) {
	struct region region;
	struct source src;
	struct child reader[READERS];
};

/* What an entry of a shared mapping without userfaultfd and guards may be. */
static bool is_plausible(__u64 entry, __u64 slots)
{
	entry &= ~PM_SOFT_DIRTY;
	if (!entry)
		return true;
	if (entry & PM_PRESENT)
		return !(entry & (PM_SWAP | PM_GUARD | PM_UFFD)) &&
		       (entry & PM_FILE) && (entry & PM_FRAME);
	if ((entry & ~PM_FRAME) != (PM_SWAP | PM_FILE))
		return false;
	/* Another type is no device's: a page on its way to another place. */
	return pm_swap_type(entry) ||
	       (pm_swap_offset(entry) && pm_swap_offset(entry) < slots);
}

struct reading {
	const struct region *region;
	pid_t pid;
	__u64 slots;
};

/* Reads in windows of changing size until told to stop; exits with 0 if all is well. */
static int read_all_the_time(struct child *c, void *arg)
{
	static __u64 entries[PAGES];
	const struct reading *rd = arg;
	size_t from = 0, len = 1;
	int fd = target_open(rd->pid);
	long got, i;

	if (fd < 0 || !child_tell(c) || fcntl(c->in, F_SETFL, O_NONBLOCK))
		return 2;
	while (!child_hear(c) && errno == EAGAIN) {
		got = pagemap_read(fd, region_page(rd->region, from), entries, len);
		if (got != (long)len)
			return 3;
		for (i = 0; i < got; i++) {
			if (is_plausible(entries[i], rd->slots))
				continue;
			ksft_print_msg("page %zu reads %#018llx\n", from + i, entries[i]);
			return 4;
		}
		from = (from + 37) % PAGES;
		len = len * 2 + 1;
		if (len > PAGES - from)
			len = 1;
	}
	return 0;
}

FIXTURE_SETUP(storm)
{
	struct reading rd;
	struct swapdisk disk;
	int i;

	ASSERT_EQ(0, swapdisk_open(&disk));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
	rd = (struct reading){ &self->region, getpid(), disk.slots };
	swapdisk_close(&disk);
	for (i = 0; i < READERS; i++) {
		ASSERT_EQ(0, child_start(&self->reader[i], read_all_the_time, &rd));
		ASSERT_TRUE(child_hear(&self->reader[i]));
	}
}

FIXTURE_TEARDOWN(storm)
{
	int i;

	for (i = 0; i < READERS; i++)
		child_kill(&self->reader[i]);
	EXPECT_EQ(0, source_close(&self->src));
	region_free(&self->region);
}

static void expect_calm(struct __test_metadata *_metadata, struct child *reader,
			const struct source *src, struct region *r)
{
	struct survey s;
	int i, status;

	for (i = 0; i < READERS; i++) {
		child_tell(&reader[i]);
		status = child_wait(&reader[i]);
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, WEXITSTATUS(status));
	}
	region_fill(r);
	EXPECT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, survey_region(src, r, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "after the storm");
}

static bool time_left(time_t *start)
{
	if (!*start)
		*start = time(NULL);
	return time(NULL) < *start + SECONDS;
}

TEST_F(storm, touch_and_page_out)
{
	struct region *r = &self->region;
	time_t start = 0;
	size_t i, at = 0;

	while (time_left(&start)) {
		madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT);
		for (i = 0; i < 300; i++, at = (at + 7) % PAGES)
			region_fill_page(r, at);
	}
	expect_calm(_metadata, self->reader, &self->src, r);
}

TEST_F(storm, punch_and_truncate)
{
	struct region *r = &self->region;
	time_t start = 0;
	size_t i, at = 0;

	while (time_left(&start)) {
		madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT);
		for (i = 0; i < 50; i++, at = (at + 111) % (PAGES - 20))
			ASSERT_EQ(0, fallocate(r->fd, FALLOC_FL_PUNCH_HOLE |
					       FALLOC_FL_KEEP_SIZE,
					       at * PAGE_BYTES, 20 * PAGE_BYTES));
		ASSERT_EQ(0, ftruncate(r->fd, PAGES / 2 * PAGE_BYTES));
		ASSERT_EQ(0, ftruncate(r->fd, PAGES * PAGE_BYTES));
		region_fill(r);
	}
	expect_calm(_metadata, self->reader, &self->src, r);
}

/* Page tables come and go, and the VMA is cut and put together again. */
TEST_F(storm, zap_and_protect)
{
	struct region *r = &self->region;
	time_t start = 0;
	size_t at = 0;

	while (time_left(&start)) {
		madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT);
		madvise(r->addr, PAGES * PAGE_BYTES, MADV_DONTNEED);
		at = (at + 61) % (PAGES - 100);
		ASSERT_EQ(0, mprotect(region_page(r, at), 100 * PAGE_BYTES, PROT_NONE));
		ASSERT_EQ(0, mprotect(region_page(r, at), 100 * PAGE_BYTES,
				      PROT_READ | PROT_WRITE));
		region_fill_page(r, at);
	}
	expect_calm(_metadata, self->reader, &self->src, r);
}

TEST_HARNESS_MAIN
