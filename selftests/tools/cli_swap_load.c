// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap` while processes do to their memory in swap what hides it from a walk that
 * takes time: they move it (mremap), hand it on by fork and exit, read it back, drop it, and
 * end while it is written. Each used slot is explained.
 */
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define MOVED	2048	/* pages that are moved about in an address space ... */
#define PART	64	/* ... as many at a time */
#define CHURNED	256	/* pages of each other process */
#define PAUSE_US 5000
#define LOAD_NICE 19
#define TRIES	20	/* until the load has hidden slots from a look */

enum { MOVER, RELAY, CHURNER, LOADS };

FIXTURE(cli_swap_load) {
	struct child all[LOADS];
	struct cli out;
};

/* Half of the address range is empty: a part of the pages moves to a random empty place. */
static int move_for_ever(struct child *c, void *arg)
{
	bool full[2 * MOVED / PART];
	size_t i, half, from, to;
	struct region r;

	(void)arg;
	if (region_map_private_anon(&r, 2 * MOVED))
		return 1;
	for (from = 0; from < ARRAY_SIZE(full); from++)
		full[from] = from % 2;
	/* Neighbours get slots apart: a line of swapmap for each page, which takes longer. */
	for (half = 0; half < 2; half++) {
		for (i = half; i < r.pages; i += 2)
			if (full[i / PART])
				region_fill_page(&r, i);
		if (madvise(r.addr, r.pages * PAGE_BYTES, MADV_PAGEOUT))
			return 1;
	}
	if (!child_tell(c))
		return 1;
	for (;;) {
		do
			from = random_below(ARRAY_SIZE(full));
		while (!full[from]);
		do
			to = random_below(ARRAY_SIZE(full));
		while (full[to]);
		if (mremap(region_page(&r, from * PART), PART * PAGE_BYTES, PART * PAGE_BYTES,
			   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
			   region_page(&r, to * PART)) == MAP_FAILED)
			return 1;
		full[from] = false;
		full[to] = true;
	}
}

/* Each process hands its swapped pages on to a child, and exits. */
static int hand_on_for_ever(struct child *c, void *arg)
{
	struct region r;
	pid_t pid;

	(void)arg;
	if (region_map_filled(&r, CHURNED) ||
	    madvise(r.addr, r.pages * PAGE_BYTES, MADV_PAGEOUT) || !child_tell(c))
		return 1;
	for (;;) {
		pid = fork();
		if (pid < 0)
			return 1;
		/* The test's end closes the pipe. */
		if (pid)
			_exit(0);
		if (!child_tell(c))
			_exit(0);
		usleep(PAUSE_US);
	}
}

static int churn_for_ever(struct child *c, void *arg)
{
	struct region r;
	int advice[] = { MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_DONTNEED };
	size_t i, n;

	(void)arg;
	if (region_map_filled(&r, CHURNED) || !child_tell(c))
		return 1;
	for (;;) {
		i = random_below(CHURNED);
		n = 1 + random_below(CHURNED - i);
		madvise(region_page(&r, i), n * PAGE_BYTES, MADV_POPULATE_WRITE);
		madvise(region_page(&r, i), n * PAGE_BYTES, MADV_PAGEOUT);
		madvise(region_page(&r, i), n * PAGE_BYTES,
			advice[random_below(ARRAY_SIZE(advice))]);
		usleep(PAUSE_US);
	}
}

static int (*const bodies[LOADS])(struct child *c, void *arg) = {
	[MOVER] = move_for_ever,
	[RELAY] = hand_on_for_ever,
	[CHURNER] = churn_for_ever,
};

FIXTURE_VARIANT(cli_swap_load) {
	int kinds;	/* the first ones */
};

/* Nothing is swapped in or out: the sheet has no change to plead. */
FIXTURE_VARIANT_ADD(cli_swap_load, moved) {
	.kinds = RELAY + 1,
};

FIXTURE_VARIANT_ADD(cli_swap_load, churned) {
	.kinds = CHURNER + 1,
};

FIXTURE_SETUP(cli_swap_load)
{
	int i;

	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, swapdev_restart());
	/* The children have this; the sheet need not wait for them. */
	ASSERT_EQ(LOAD_NICE, nice(LOAD_NICE));
	for (i = 0; i < variant->kinds; i++) {
		ASSERT_EQ(0, child_start(&self->all[i], bodies[i], NULL));
		ASSERT_TRUE(child_hear(&self->all[i]));
	}
	ASSERT_EQ(0, setpriority(PRIO_PROCESS, 0, 0));
}

FIXTURE_TEARDOWN(cli_swap_load)
{
	int i;

	for (i = 0; i < LOADS; i++)
		child_kill(&self->all[i]);
	cli_free(&self->out);
}

TEST_F(cli_swap_load, each_used_slot_is_explained)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	long long used, unexplained, change, transient, sum = 0;
	int i;

	for (i = 0; !sum && i < TRIES; i++) {
		cli_free(&self->out);
		ASSERT_EQ(0, cli_run(&self->out, "swap --json"));
		ASSERT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
		used = sheet_number(&self->out, disk, "used");
		unexplained = sheet_number(&self->out, disk, "unexplained");
		transient = sheet_number(&self->out, disk, "transient");
		change = cli_number(&self->out, NULL, "changed") +
			 cli_number(&self->out, NULL, "moved");
		ksft_print_msg("%lld used, %lld unexplained, %lld transient, %lld changed\n",
			       used, unexplained, transient, change);
		EXPECT_EQ(used, unexplained + sheet_explained(&self->out, disk));
		EXPECT_GE(change, llabs(unexplained)) TH_LOG("%s", self->out.text);
		EXPECT_LE(MOVED, used);
		sum += transient;
	}
	EXPECT_LT(0, sum);
}

TEST_HARNESS_MAIN
