// SPDX-License-Identifier: GPL-2.0
/*
 * All memory of a process, traced from before it is mapped. For each page that is present
 * in the end, the last event at its address gives the bit and the frame; without an event
 * the bit is clear. It agrees with PID/exclusive and with the operations on the page.
 */
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define MOST	(2 * PMD_PAGES)	/* pages of a kind, at most */
#define OWN	64		/* pages of each of this test's own kinds */
#define SHOWN	3

enum own_kind {
	READ_BACK, MIGRATED, MOVED_BY_UFFD, MOVED_BY_MREMAP, IN_THE_HOLE, TAKEN_OVER, OWN_KINDS
};

FIXTURE(events_replay) {
	struct region regions[KINDS], own[OWN_KINDS];
	struct kind kinds[KINDS];
	struct traced self;
	struct child child;
	struct kinds_state state;
	int uffd;
};

static void make_own(struct __test_metadata *_metadata, FIXTURE_DATA(events_replay) * self)
{
	struct region from, *own = self->own;
	size_t i;

	for (i = 0; i < OWN_KINDS; i++) {
		if (i == IN_THE_HOLE)
			continue;
		ASSERT_EQ(0, region_map_apart(&own[i], OWN));
		if (i != MOVED_BY_UFFD)
			region_fill(&own[i]);
	}
	from = own[MOVED_BY_MREMAP];
	ASSERT_EQ(0, region_move(&own[MOVED_BY_MREMAP]));
	ASSERT_EQ(0, region_map(&own[IN_THE_HOLE], from.addr, OWN,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	region_fill(&own[IN_THE_HOLE]);
	ASSERT_EQ(0, region_pageout(&own[READ_BACK]));
	EXPECT_EQ(0, region_damaged(&own[READ_BACK]));
	for (i = 0; i < OWN; i++)
		ASSERT_EQ(0, migrate_page(&self->self.ex, region_page(&own[MIGRATED], i)));
	ASSERT_EQ(0, region_map_filled(&from, OWN));
	self->uffd = uffd_watch(&own[MOVED_BY_UFFD]);
	ASSERT_LE(0, self->uffd);
	region_drain_batches();
	ASSERT_EQ(OWN, uffd_move(self->uffd, own[MOVED_BY_UFFD].addr, from.addr, OWN));
	for (i = 0; i < OWN_KINDS; i++)
		if (i != TAKEN_OVER)
			ASSERT_EQ(0, madvise(own[i].addr, OWN * PAGE_BYTES, MADV_DONTFORK));
}

static int leave_one(struct child *c, void *arg)
{
	struct region *r = arg;

	munmap(r->addr, r->pages * PAGE_BYTES);
	return !child_tell(c) || !child_hear(c);
}

FIXTURE_SETUP(events_replay)
{
	size_t i;

	ASSERT_EQ(0, traced_open(&self->self, getpid()));
	for (i = 0; i < KINDS; i++) {
		self->kinds[i] = memory_kinds[i];
		if (self->kinds[i].pages > MOST)
			self->kinds[i].pages = MOST;
		ASSERT_EQ(0, kind_make(&self->kinds[i], &self->regions[i], &self->state))
			TH_LOG("%s", memory_kinds[i].name);
	}
	make_own(_metadata, self);
	ASSERT_EQ(0, child_start(&self->child, leave_one, &self->own[TAKEN_OVER]));
	ASSERT_TRUE(child_hear(&self->child));
	region_drain_batches();
	for (i = 0; i < KINDS; i++)
		kind_after_fork(&self->kinds[i], &self->regions[i]);
	region_fill(&self->own[TAKEN_OVER]);
	ASSERT_EQ(0, traced_end(&self->self));
}

FIXTURE_TEARDOWN(events_replay)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	EXPECT_EQ(0, kinds_unmake(&self->state));
	close(self->uffd);
}

/*
 * The bit of a frame at @addr by the last event there. For a huge page, the events of its
 * first page count.
 */
static bool replayed(const struct events *log, const unsigned char *addr, __u64 frame)
{
	const struct event *const *at;
	size_t count = events_at(log, addr, &at);

	return count && at[count - 1]->op == OP_SET && at[count - 1]->pfn == frame;
}

struct tally {
	size_t pages, right, exclusive;
};

/* Compares the bits of a present page: by the log, by PID/exclusive, and as expected. */
static void check_page(FIXTURE_DATA(events_replay) * self, const unsigned char *addr,
		       bool expected, struct tally *t)
{
	__u64 entry = exclusive_at(&self->self.ex, addr);
	__u64 frame = frame_at(&self->self.ex, addr);
	size_t into = entry & EX_PMD ? (unsigned long)addr % PMD_BYTES / PAGE_BYTES : 0;
	bool bit = entry & EX_EXCLUSIVE, told;

	if (!(entry & EX_PRESENT) || entry & (EX_FILE | EX_ZERO))
		return;
	told = replayed(&self->self.log, addr - into * PAGE_BYTES, frame - into);
	t->pages++;
	t->exclusive += bit;
	if (told == bit && bit == expected)
		t->right++;
	else if (t->pages - t->right <= SHOWN)
		ksft_print_msg("%p: frame %llx, log %d, PID/exclusive %d, expected %d\n",
			       addr, (unsigned long long)frame, told, bit, expected);
}

TEST_F(events_replay, last_event_of_every_page_gives_its_bit)
{
	struct tally t = {};
	size_t i, j;

	EXPECT_EQ(0, self->self.log.dropped);
	for (i = 0; i < KINDS; i++)
		for (j = 0; j < self->kinds[i].pages; j++)
			check_page(self, region_page(&self->regions[i], j),
				   kind_state(&self->kinds[i], j) & EX_EXCLUSIVE, &t);
	for (i = 0; i < OWN_KINDS; i++)
		for (j = 0; j < OWN; j++)
			check_page(self, region_page(&self->own[i], j), true, &t);
	ksft_print_msg("%zu events; %zu of %zu pages right, %zu of them exclusive\n",
		       self->self.log.count, t.right, t.pages, t.exclusive);
	EXPECT_EQ(t.pages, t.right);
	/* There are enough pages of either kind. */
	EXPECT_LT(5000, t.exclusive);
	EXPECT_LT(2000, t.pages - t.exclusive);
	EXPECT_EQ(0, violations_of(&self->self.ex));
}

TEST_HARNESS_MAIN
