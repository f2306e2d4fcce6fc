// SPDX-License-Identifier: GPL-2.0
/*
 * GUP-fast against fork and reclaim: threads pin pages and compare the pinned contents with
 * the mapped ones, while others fork and swap out. No rule is broken at any time.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PINNERS	2
#define SHARE	16	/* pages of each pinner; each second one is pinned */
#define PAGES	(PINNERS * SHARE)

FIXTURE(exclusive_storm) {
	struct region region;
	struct exclusive ex;
	struct storm storm;
};

FIXTURE_VARIANT(exclusive_storm) {
	int (*map)(struct region *r, size_t pages);
	size_t pages;
	unsigned int flags;	/* of the pins */
};

static int map_thp(struct region *r, size_t pages)
{
	return thp_map(r, pages / PMD_PAGES);
}

FIXTURE_VARIANT_ADD(exclusive_storm, small_folios_pinned_for_writing) {
	.map = region_map_filled,
	.pages = PAGES,
	.flags = PIN_FAST | PIN_WRITE,
};

FIXTURE_VARIANT_ADD(exclusive_storm, small_folios_pinned_for_reading) {
	.map = region_map_filled,
	.pages = PAGES,
	.flags = PIN_FAST,
};

FIXTURE_VARIANT_ADD(exclusive_storm, large_folio_pinned_for_writing) {
	.map = map_thp,
	.pages = PMD_PAGES,
	.flags = PIN_FAST | PIN_WRITE,
};

FIXTURE_VARIANT_ADD(exclusive_storm, large_folio_pinned_for_reading) {
	.map = map_thp,
	.pages = PMD_PAGES,
	.flags = PIN_FAST,
};

FIXTURE_SETUP(exclusive_storm)
{
	ASSERT_EQ(0, variant->map(&self->region, variant->pages));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
}

FIXTURE_TEARDOWN(exclusive_storm)
{
	EXPECT_EQ(0, exclusive_close(&self->ex));
	region_free(&self->region);
}

struct pinning {
	struct region *region;
	const struct exclusive *ex;
	unsigned int flags;
};

/* The mapped page and the pinned page have the contents written last. */
static int check_pin(const struct pin *pin, const unsigned char *page, __u64 id, size_t i)
{
	unsigned char content[PAGE_BYTES];
	int err = pin_read(pin, content);

	if (err)
		return err;
	return pattern_matches(content, id, i) && pattern_matches(page, id, i) ? 0 : -EILSEQ;
}

/*
 * Pins a page, writes to it, and compares. While it is pinned, the page must stay exclusive
 * and in the same frame.
 */
static int pin_and_compare(struct storm_thread *t)
{
	const struct pinning *p = t->arg;
	size_t i = t->number * SHARE + t->rounds * 2 % SHARE;
	unsigned char *page = region_page(p->region, i);
	__u64 id = pattern_new_id(), frame, entry;
	struct pin pin;
	int err;

	pattern_fill(page, id, i);
	err = pin_take(&pin, page, 1, p->flags);
	if (err)
		return err;
	frame = frame_at(p->ex, page);
	err = check_pin(&pin, page, id, i);
	if (!err) {
		id = pattern_new_id();
		pattern_fill(page, id, i);
		err = check_pin(&pin, page, id, i);
	}
	entry = exclusive_at(p->ex, page);
	if (!err && (entry & (EX_PRESENT | EX_EXCLUSIVE | EX_MAYBE_PINNED)) !=
		    (EX_PRESENT | EX_EXCLUSIVE | EX_MAYBE_PINNED))
		err = -EPROTO;
	if (!err && frame_at(p->ex, page) != frame)
		err = -ESTALE;
	return pin_release(&pin) ?: err;
}

/* Reads all pages, so that both processes map them. */
static int read_all(struct child *c, void *arg)
{
	const struct pinning *p = arg;
	unsigned char sum = 0;
	size_t i;

	(void)c;
	for (i = 0; i < p->region->pages; i++)
		sum |= *region_page(p->region, i);
	return !sum;
}

static int fork_and_wait(struct storm_thread *t)
{
	return child_run(read_all, t->arg);
}

static int swap_out(struct storm_thread *t)
{
	const struct pinning *p = t->arg;

	usleep(1000);
	return madvise(p->region->addr, p->region->pages * PAGE_BYTES, MADV_PAGEOUT) ?
	       -errno : 0;
}

static int check_rules(struct storm_thread *t)
{
	const struct pinning *p = t->arg;
	long violations = violations_of(p->ex);

	usleep(1000);
	return violations > 0 ? -EPROTO : violations;
}

TEST_F_TIMEOUT(exclusive_storm, pins_hold_while_others_fork, STORM_TIMEOUT)
{
	struct pinning p = { &self->region, &self->ex, variant->flags };
	size_t i;

	for (i = 0; i < PINNERS; i++)
		storm_add(&self->storm, "pinned and compared", pin_and_compare, i, &p);
	for (i = 0; i < 2; i++)
		storm_add(&self->storm, "forked", fork_and_wait, i, &p);
	storm_add(&self->storm, "rules checked", check_rules, 0, &p);
	EXPECT_EQ(0, storm_run(&self->storm));
}

TEST_F_TIMEOUT(exclusive_storm, pins_hold_while_others_fork_and_swap_out, STORM_TIMEOUT)
{
	struct pinning p = { &self->region, &self->ex, variant->flags };
	size_t i;

	for (i = 0; i < PINNERS; i++)
		storm_add(&self->storm, "pinned and compared", pin_and_compare, i, &p);
	storm_add(&self->storm, "forked", fork_and_wait, 0, &p);
	storm_add(&self->storm, "swapped out", swap_out, 0, &p);
	storm_add(&self->storm, "rules checked", check_rules, 0, &p);
	EXPECT_EQ(0, storm_run(&self->storm));
}

TEST_HARNESS_MAIN
