// SPDX-License-Identifier: GPL-2.0
/*
 * Large swap entries in the page cache are split page by page while others read them.
 * The kernel first gives every part the head's slot, and then corrects one after the
 * other. No reader may see that.
 */
#include <fcntl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	(2 * PMD_PAGES)
#define STRIDE	17
#define ROUNDS	8
#define READERS	2
#define TRIES	6000

/* Memory shared with the readers. */
struct shared {
	__u64 slots[PAGES];	/* the entries before any page was touched */
	unsigned long reads[READERS];
};

FIXTURE(split) {
	struct largefile file;
	struct cgroup cg;
	struct region region;
	struct source src;
	struct shared *shared;
};

FIXTURE_VARIANT(split) {
	size_t folio_pages;
};

FIXTURE_VARIANT_ADD(split, pmd) {
	.folio_pages = PMD_PAGES,
};

FIXTURE_VARIANT_ADD(split, order_4) {
	.folio_pages = 16,
};

FIXTURE_SETUP(split)
{
	TEARDOWN_FROM_HERE();
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	ASSERT_EQ(0, largefile_map(&self->file, &self->region, variant->folio_pages, PAGES));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN_PARENT(split)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, largefile_remove(&self->file));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

struct reading {
	const struct source *src;
	const struct region *region;
	struct shared *shared;
	int number;		/* index of the reader */
};

/* Valid: the page's own slot, present, or in the page cache and not mapped. */
static bool is_true(__u64 entry, __u64 slot)
{
	return entry == slot || pm_is_nothing(entry) || (entry & PM_PRESENT);
}

/* One reader reads all entries at once, the other a few at a time. */
static int read_on(struct child *c, void *arg)
{
	static __u64 entries[PAGES];
	struct reading *rd = arg;
	size_t from = 0, len = rd->number ? 48 : PAGES;
	long i;

	if (!child_tell(c) || fcntl(c->in, F_SETFL, O_NONBLOCK))
		return 2;
	while (!child_hear(c) && errno == EAGAIN) {
		if (pagemap_read(rd->src->fd, region_page(rd->region, from), entries,
				 len) != (long)len)
			return 3;
		for (i = 0; i < (long)len; i++) {
			if (is_true(entries[i], rd->shared->slots[from + i]))
				continue;
			ksft_print_msg("page %zu reads %#018llx, its slot is in %#018llx\n",
				       from + i, entries[i], rd->shared->slots[from + i]);
			return 4;
		}
		rd->shared->reads[rd->number]++;
		from = (from + len) % PAGES;
	}
	return 0;
}

/* Swaps out all folios whole, empties the swap cache, checks and stores the slots. */
static void swap_out(struct __test_metadata *_metadata, const struct source *src,
		     struct region *r, struct shared *shared, struct cgroup *cg)
{
	struct survey s;

	ASSERT_EQ(0, cgroup_enter(cg));
	ASSERT_EQ(0, madvise(r->addr, PAGES * PAGE_BYTES, MADV_REMOVE));
	region_fill(r);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(cg));
	ASSERT_EQ(0, survey_region(src, r, &s));
	ASSERT_EQ(PAGES, s.located);
	ASSERT_EQ(0, s.mistaken);
	ASSERT_EQ(PAGES, pagemap_read(src->fd, r->addr, shared->slots, PAGES));
}

static unsigned long reads_of(struct shared *shared, size_t reader)
{
	return __atomic_load_n(&shared->reads[reader], __ATOMIC_RELAXED);
}

static void touch_under_readers(struct __test_metadata *_metadata,
				struct child *readers, const struct region *r,
				struct shared *shared, size_t offset)
{
	unsigned long reads[READERS];
	size_t i, j, k;

	for (k = 0; k < READERS; k++)
		reads[k] = reads_of(shared, k);
	for (i = offset; i < PAGES; i += STRIDE)
		EXPECT_TRUE(pattern_matches(region_page(r, i), r->id, i));
	/* Wait until each reader has read again, or has exited. */
	for (k = 0; k < READERS; k++)
		for (j = 0; j < TRIES && reads_of(shared, k) == reads[k]; j++)
			usleep(10000);
	for (k = 0; k < READERS; k++)
		child_tell(&readers[k]);
	for (k = 0; k < READERS; k++) {
		EXPECT_EQ(0, child_wait(&readers[k]));
		EXPECT_LT(reads[k], shared->reads[k]);
	}
}

TEST_F(split, every_17th_page_touched_under_readers)
{
	struct child readers[READERS];
	struct reading rd[READERS];
	long long whole = 0;
	struct survey s;
	size_t round;
	int k;

	for (round = 0; round < ROUNDS; round++) {
		whole = largefile_swapped(&self->file);
		swap_out(_metadata, &self->src, &self->region, self->shared, &self->cg);
		EXPECT_LT(whole, largefile_swapped(&self->file));
		for (k = 0; k < READERS; k++) {
			rd[k] = (struct reading){ &self->src, &self->region,
						  self->shared, k };
			ASSERT_EQ(0, child_start(&readers[k], read_on, &rd[k]));
			ASSERT_TRUE(child_hear(&readers[k]));
		}
		touch_under_readers(_metadata, readers, &self->region, self->shared,
				    round * 5 % STRIDE);
		ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
		EXPECT_EQ(0, s.mistaken) survey_print(&s, "after the touches");
		EXPECT_EQ((long)s.located, region_count(&self->region, PAGE_SWAPPED));
	}
	ksft_print_msg("reads: %lu and %lu\n", self->shared->reads[0],
		       self->shared->reads[1]);
}

/* The slot of the page does not follow those before it, and a large entry is behind it. */
TEST_F(split, a_page_by_itself_before_a_large_entry)
{
	const size_t last = variant->folio_pages - 1;
	__u64 entries[2];
	struct survey s;
	size_t i;

	swap_out(_metadata, &self->src, &self->region, self->shared, &self->cg);
	for (i = last; i < PAGES; i += 2 * variant->folio_pages) {
		region_fill_page(&self->region, i);
		ASSERT_EQ(0, region_pageout_pages(&self->region, i, 1));
		ASSERT_EQ(2, pagemap_read(self->src.fd, region_page(&self->region, i - 1),
					  entries, 2));
		EXPECT_NE(pm_swap_offset(entries[0]) + 1, pm_swap_offset(entries[1]));
	}
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "pages by themselves");
}

TEST_HARNESS_MAIN
