// SPDX-License-Identifier: GPL-2.0
/*
 * Long-term pins need an exclusive page: a shared one is copied or reused first, by a write
 * fault, or by unsharing if the pin is for reading.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 8

FIXTURE(events_pin) {
	struct region region;
	struct traced self;
	struct child child;
	struct pin pin;
	__u64 frames[PAGES];
};

FIXTURE_VARIANT(events_pin) {
	unsigned int flags;
	enum cause copy, reuse;
};

FIXTURE_VARIANT_ADD(events_pin, reading) {
	.copy = CAUSE_UNSHARE,
	.reuse = CAUSE_UNSHARE,
};

FIXTURE_VARIANT_ADD(events_pin, reading_fast) {
	.flags = PIN_FAST,
	.copy = CAUSE_UNSHARE,
	.reuse = CAUSE_UNSHARE,
};

FIXTURE_VARIANT_ADD(events_pin, writing) {
	.flags = PIN_WRITE,
	.copy = CAUSE_COW_COPY,
	.reuse = CAUSE_COW_REUSE,
};

FIXTURE_VARIANT_ADD(events_pin, writing_fast) {
	.flags = PIN_WRITE | PIN_FAST,
	.copy = CAUSE_COW_COPY,
	.reuse = CAUSE_COW_REUSE,
};

FIXTURE_SETUP(events_pin)
{
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, traced_open(&self->self, getpid()));
}

FIXTURE_TEARDOWN(events_pin)
{
	EXPECT_EQ(0, pin_release(&self->pin));
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

static int pin_and_end(struct traced *t, struct pin *pin, const struct region *r,
		       unsigned int flags, __u64 *frames)
{
	int err = pin_take(pin, r->addr, r->pages, flags);

	frames_note(&t->ex, r, frames);
	return err ?: traced_end(t);
}

TEST_F(events_pin, exclusive_page_is_pinned_as_it_is)
{
	ASSERT_EQ(0, pin_and_end(&self->self, &self->pin, &self->region, variant->flags,
				 self->frames));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_F(events_pin, shared_page_is_copied)
{
	__u64 before[PAGES];

	frames_note(&self->self.ex, &self->region, before);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, pin_and_end(&self->self, &self->pin, &self->region, variant->flags,
				 self->frames));
	EXPECT_EQ(0, frames_kept(&self->self.ex, &self->region, before));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, variant->copy, self->frames, NULL }));
}

TEST_F(events_pin, page_once_shared_is_taken_over)
{
	__u64 before[PAGES];

	frames_note(&self->self.ex, &self->region, before);
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	region_drain_batches();
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, pin_and_end(&self->self, &self->pin, &self->region, variant->flags,
				 self->frames));
	EXPECT_EQ(PAGES, frames_kept(&self->self.ex, &self->region, before));
	EXPECT_EQ(PAGES, STEPS_TAKEN(&self->self.log, &self->region,
				     { OP_SET, variant->reuse, self->frames, NULL }));
}

/* The release of a pin changes nothing. */
TEST_F(events_pin, released_page_stays_as_it_is)
{
	ASSERT_EQ(0, pin_take(&self->pin, self->region.addr, PAGES, variant->flags));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, pin_release(&self->pin));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, steps_none(&self->self.log, &self->region));
}

TEST_HARNESS_MAIN
