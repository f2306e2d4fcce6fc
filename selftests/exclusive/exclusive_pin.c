// SPDX-License-Identifier: GPL-2.0
/*
 * Pinned pages and fork: the parent keeps its page and the bit, and the child gets a copy
 * during fork. The pin and the parent's mapping stay the same page.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	16
#define FIRST	4	/* of the pinned pages */
#define PINNED	5

#define PINNED_STATE (EX_OWN | EX_MAYBE_PINNED)

/* One way to pin memory for writing. */
struct pinner {
	struct pin pin;
	struct uring uring;
	int file;
	void *addr;
};

static int gup_slow(struct pinner *p)
{
	return pin_take(&p->pin, p->addr, PINNED, PIN_WRITE);
}

static int gup_fast(struct pinner *p)
{
	return pin_take(&p->pin, p->addr, PINNED, PIN_WRITE | PIN_FAST);
}

static int gup_content(struct pinner *p, void *buf)
{
	return pin_read(&p->pin, buf);
}

static int gup_unpin(struct pinner *p)
{
	return pin_release(&p->pin);
}

static int fixed_buffer(struct pinner *p)
{
	p->file = memfd_create("xpagemap-test", MFD_CLOEXEC);
	if (p->file < 0)
		return -errno;
	return uring_open(&p->uring) ?:
	       uring_register(&p->uring, p->addr, PINNED * PAGE_BYTES);
}

static int fixed_buffer_content(struct pinner *p, void *buf)
{
	int err = uring_write(&p->uring, p->file, p->addr, PINNED * PAGE_BYTES);

	if (err)
		return err;
	return pread(p->file, buf, PINNED * PAGE_BYTES, 0) == PINNED * PAGE_BYTES ?
	       0 : -EIO;
}

static int fixed_buffer_unpin(struct pinner *p)
{
	int err = uring_unregister(&p->uring);

	uring_close(&p->uring);
	close(p->file);
	return err;
}

FIXTURE(exclusive_pin) {
	struct region region;
	struct exclusive ex, other;
	struct child child;
	struct pinner pinner;
	unsigned char *content;
	__u64 frames[PAGES];
};

FIXTURE_VARIANT(exclusive_pin) {
	int (*pin)(struct pinner *p);
	int (*content)(struct pinner *p, void *buf);
	int (*unpin)(struct pinner *p);
};

FIXTURE_VARIANT_ADD(exclusive_pin, gup_slow) {
	.pin = gup_slow,
	.content = gup_content,
	.unpin = gup_unpin,
};

FIXTURE_VARIANT_ADD(exclusive_pin, gup_fast) {
	.pin = gup_fast,
	.content = gup_content,
	.unpin = gup_unpin,
};

FIXTURE_VARIANT_ADD(exclusive_pin, io_uring_fixed_buffer) {
	.pin = fixed_buffer,
	.content = fixed_buffer_content,
	.unpin = fixed_buffer_unpin,
};

FIXTURE_SETUP(exclusive_pin)
{
	self->content = malloc(PINNED * PAGE_BYTES);
	ASSERT_NE(NULL, self->content);
	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->pinner.addr = region_page(&self->region, FIRST);
	ASSERT_EQ(0, variant->pin(&self->pinner));
	frames_note(&self->ex, &self->region, self->frames);
}

FIXTURE_TEARDOWN(exclusive_pin)
{
	EXPECT_EQ(0, variant->unpin(&self->pinner));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_free(&self->region);
	free(self->content);
}

static bool is_pinned(size_t i)
{
	return i >= FIRST && i < FIRST + PINNED;
}

TEST_F(exclusive_pin, pinned_pages_are_told)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		__u64 entry = exclusive_at(&self->ex, region_page(&self->region, i));

		EXPECT_EQ(is_pinned(i) ? PINNED_STATE : EX_OWN, entry & EX_STATE);
		/* A small folio's pins are in its reference count. */
		if (is_pinned(i))
			EXPECT_LE(1024, ex_references(entry));
	}
	EXPECT_EQ(PINNED, summary_value(&self->ex, self->region.addr, "maybe-pinned"));
	EXPECT_EQ(0, violations_of(&self->ex));
}

/* Tells the parent, at once and each time it is told to, if the pages are unchanged. */
static int compare_when_told(struct child *c, void *arg)
{
	const struct region *r = arg;

	do {
		if (region_damaged(r) || !child_tell(c))
			return 1;
	} while (child_hear(c));
	return 0;
}

TEST_F(exclusive_pin, fork_copies_a_pinned_page_early)
{
	struct region *r = &self->region;
	size_t i;

	ASSERT_EQ(0, child_start(&self->child, compare_when_told, r));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, exclusive_open(&self->other, self->child.pid));
	for (i = 0; i < PAGES; i++) {
		__u64 mine = exclusive_at(&self->ex, region_page(r, i));
		__u64 theirs = exclusive_at(&self->other, region_page(r, i));
		__u64 frame = frame_at(&self->other, region_page(r, i));

		EXPECT_EQ(self->frames[i], frame_at(&self->ex, region_page(r, i)));
		if (is_pinned(i)) {
			EXPECT_EQ(PINNED_STATE, mine & EX_STATE);
			EXPECT_EQ(1, ex_map_count(mine));
			EXPECT_EQ(EX_PRESENT | EX_EXCLUSIVE,
				  theirs & EX_STATE & ~EX_WRITABLE);
			EXPECT_EQ(1, ex_map_count(theirs));
			EXPECT_NE(self->frames[i], frame);
		} else {
			EXPECT_EQ(EX_PRESENT, mine & EX_STATE);
			EXPECT_EQ(EX_PRESENT, theirs & EX_STATE);
			EXPECT_EQ(2, ex_map_count(mine));
			EXPECT_EQ(self->frames[i], frame);
		}
	}
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* After the fork, the parent writes to the pinned pages, and the child's do not change. */
TEST_F(exclusive_pin, pin_sees_what_the_parent_writes)
{
	struct region *r = &self->region;
	size_t i;

	ASSERT_EQ(0, child_start(&self->child, compare_when_told, r));
	ASSERT_TRUE(child_hear(&self->child));
	r->id = pattern_new_id();
	region_fill(r);
	ASSERT_EQ(0, variant->content(&self->pinner, self->content));
	EXPECT_EQ(0, memcmp(self->content, region_page(r, FIRST), PINNED * PAGE_BYTES));
	for (i = 0; i < PINNED; i++)
		EXPECT_TRUE(pattern_matches(self->content + i * PAGE_BYTES, r->id,
					    FIRST + i));
	ASSERT_TRUE(child_ask(&self->child));
	for (i = FIRST; i < FIRST + PINNED; i++)
		EXPECT_EQ(self->frames[i], frame_at(&self->ex, region_page(r, i)));
}

/* Reclaim skips pinned pages: they stay mapped. */
TEST_F(exclusive_pin, pinned_page_is_not_swapped_out)
{
	struct region *r = &self->region;
	size_t i;

	EXPECT_EQ(PINNED, region_pageout(r));
	for (i = FIRST; i < FIRST + PINNED; i++) {
		EXPECT_EQ(self->frames[i], frame_at(&self->ex, region_page(r, i)));
		EXPECT_EQ(PINNED_STATE & ~EX_WRITABLE,
			  exclusive_at(&self->ex, region_page(r, i)) & EX_STATE &
			  ~EX_WRITABLE);
	}
	EXPECT_EQ(PAGES - PINNED,
		  exclusive_count(&self->ex, r->addr, PAGES, EX_SWAP | EX_EXCLUSIVE,
				  EX_SWAP | EX_EXCLUSIVE));
	EXPECT_EQ(0, violations_of(&self->ex));
}

TEST_HARNESS_MAIN
