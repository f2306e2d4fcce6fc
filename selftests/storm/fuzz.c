// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands, reads and ioctls, well-formed and not, while the memory they are about
 * changes at random. Each answer is held against the interface. XPAGEMAP_FUZZ_SEED repeats the
 * calls, XPAGEMAP_STORM_SECONDS is the time.
 */
#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/fuzz/fuzz.h"
#include "lib/fuzz/input.h"

#define SECONDS 10

static const struct {
	const char *name;
	const char *(*call)(struct fuzz *f);
	size_t weight;
} kinds[] = {
	{ "attach and detach", fuzz_target_command, 8 },
	{ "attach_fd, attach_file, detach_fd", fuzz_file_command, 8 },
	{ "trace and page", fuzz_target_write, 16 },
	{ "entries", fuzz_entries, 16 },
	{ "text", fuzz_text, 12 },
	{ "swapmap", fuzz_swapmap, 4 },
	{ "ioctls", fuzz_ioctl, 40 },
	{ "exit", fuzz_exit, 1 },
	{ "stats", fuzz_stats, 2 },
};

struct tally {
	unsigned long calls, failed;	/* failed: with an errno */
};

static size_t some_kind(void)
{
	size_t i, total = 0, at;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		total += kinds[i].weight;
	for (i = 0, at = input_below(total); at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return i;
}

static bool has_done_all(const struct tally *tally)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (tally[i].calls == tally[i].failed)
			return false;
	return true;
}

FIXTURE(fuzz) {
	struct fuzz f;
	__u64 seed;
};

FIXTURE_SETUP(fuzz)
{
	self->seed = input_seed();
	ksft_print_msg("XPAGEMAP_FUZZ_SEED=%#llx\n", (unsigned long long)self->seed);
	ASSERT_EQ(0, fuzz_start(&self->f, self->seed));
}

FIXTURE_TEARDOWN(fuzz)
{
	EXPECT_EQ(0, fuzz_stop(&self->f));
	EXPECT_EQ(0, stats_value("targets"));
	EXPECT_EQ(0, stats_value("files"));
}

/* The memory changes, and each kind of call has succeeded. */
TEST_F_TIMEOUT(fuzz, every_answer_is_due, STORM_TIMEOUT)
{
	struct tally tally[ARRAY_SIZE(kinds)] = {};
	time_t until = time(NULL) + storm_seconds(SECONDS);
	const char *broken = NULL;
	unsigned long calls = 0;
	size_t i;

	while (!broken && (time(NULL) < until ||
			   (time(NULL) < until + STORM_PATIENCE && !has_done_all(tally)))) {
		i = some_kind();
		self->f.result = 0;
		broken = kinds[i].call(&self->f);
		tally[i].calls++;
		tally[i].failed += self->f.result < 0;
		calls++;
	}
	EXPECT_EQ(NULL, broken)
		TH_LOG("call %lu: %s: %s: %ld", calls, self->f.what, broken, self->f.result);
	EXPECT_LT(0, self->f.arena->changes);
	EXPECT_TRUE(has_done_all(tally));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		ksft_print_msg("%s: %lu calls, %lu refused\n", kinds[i].name, tally[i].calls,
			       tally[i].failed);
	ksft_print_msg("%lu calls, %lu changes of memory\n", calls, self->f.arena->changes);
}

TEST_HARNESS_MAIN
