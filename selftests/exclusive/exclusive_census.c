// SPDX-License-Identifier: GPL-2.0
/*
 * A process with over 100,000 pages of every kind. Each entry of PID/exclusive agrees with
 * the operations done to the page, and with pagemap, kpageflags and kpagecount.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define SHOWN 3

FIXTURE(exclusive_census) {
	struct region regions[KINDS];
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	struct kinds_state state;
};

FIXTURE_SETUP(exclusive_census)
{
	size_t i;

	ASSERT_EQ(0, kpage_open(&self->kp));
	for (i = 0; i < KINDS; i++) {
		ASSERT_EQ(0, kind_make(&memory_kinds[i], &self->regions[i], &self->state))
			TH_LOG("%s", memory_kinds[i].name);
	}
	ASSERT_EQ(0, exclusive_child_idle(&self->other, &self->child));
	for (i = 0; i < KINDS; i++)
		kind_after_fork(&memory_kinds[i], &self->regions[i]);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
}

FIXTURE_TEARDOWN(exclusive_census)
{
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	EXPECT_EQ(0, kinds_unmake(&self->state));
	kpage_close(&self->kp);
}

/* Number of pages in the state of their kind; the first others are printed. */
static size_t count_right(const struct exclusive *ex, const struct kpage *kp,
			  const struct region *r, const struct kind *k)
{
	size_t i, right = 0, shown = 0;
	char text[256];

	for (i = 0; i < r->pages; i++) {
		__u64 entry = exclusive_at(ex, region_page(r, i));
		const char *wrong = crosscheck_page(ex, kp, region_page(r, i));

		if (!wrong && (entry & EX_STATE) == kind_state(k, i)) {
			right++;
		} else if (shown++ < SHOWN) {
			exclusive_describe(entry, text, sizeof(text));
			ksft_print_msg("%s, page %zu: %s: %s\n", k->name, i, text,
				       wrong ?: "not the state of its kind");
		}
	}
	return right;
}

/* Columns of the summary equal the sums over the entries. */
static void expect_summary_adds_up(struct __test_metadata *_metadata,
				   const struct exclusive *ex, const struct region *regions)
{
	static const struct {
		const char *column;
		__u64 mask, bits;
	} columns[] = {
		{ "present", EX_PRESENT, EX_PRESENT },
		{ "swap-private", EX_SWAP, EX_SWAP },
		{ "exclusive", EX_EXCLUSIVE, EX_EXCLUSIVE },
		{ "maybe-pinned", EX_MAYBE_PINNED, EX_MAYBE_PINNED },
		{ "ksm", EX_KSM, EX_KSM },
		{ "large", EX_LARGE, EX_LARGE },
		{ "zero", EX_ZERO, EX_ZERO },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		long long least = 0;

		for (j = 0; j < KINDS; j++) {
			const struct region *r = &regions[j];
			long count = exclusive_count(ex, r->addr, r->pages,
						     columns[i].mask, columns[i].bits);

			ASSERT_LE(0, count);
			least += count;
			if (!strcmp(memory_kinds[j].name, "own") ||
			    !strcmp(memory_kinds[j].name, "shared"))
				EXPECT_EQ(count, summary_value(ex, r->addr,
							       columns[i].column))
					TH_LOG("%s of %s", columns[i].column, memory_kinds[j].name);
		}
		/* The total includes pages of the program and its libraries. */
		EXPECT_LE(least, summary_value(ex, NULL, columns[i].column));
	}
	EXPECT_EQ(0, summary_value(ex, NULL, "violations"));
}

TEST_F(exclusive_census, every_page_is_told_right_and_the_summary_adds_up)
{
	size_t i, right = 0, pages = 0;

	for (i = 0; i < KINDS; i++) {
		right += count_right(&self->ex, &self->kp, &self->regions[i], &memory_kinds[i]);
		pages += memory_kinds[i].pages;
	}
	ksft_print_msg("%zu of %zu pages right\n", right, pages);
	EXPECT_LE(100000, pages);
	EXPECT_EQ(pages, right);
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, violations_of(&self->other));
	expect_summary_adds_up(_metadata, &self->ex, self->regions);
}

TEST_HARNESS_MAIN
