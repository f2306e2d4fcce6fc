// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap` while pages are swapped out and in: the sheet leaves no slot unexplained and
 * explains none twice, however many have changed meanwhile.
 */
#include <linux/mman.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define STILL	1500	/* pages of a file that nobody maps, in swap all the time */
#define MOVED	256	/* pages of a process that moves some of them ... */
#define STEP	8	/* ... so many, every ... */
#define PAUSE_US 20000
#define SHEETS	3

FIXTURE(cli_swap_storm) {
	struct child mover;
	struct cli out;
	int file;
};

static int move_pages_for_ever(struct child *c, void *arg)
{
	struct region r;
	size_t i;

	(void)arg;
	if (region_map_filled(&r, MOVED) || !child_tell(c))
		return 1;
	for (;;) {
		i = random_below(MOVED / STEP) * STEP;
		madvise(region_page(&r, i), STEP * PAGE_BYTES, MADV_PAGEOUT);
		/* A write frees the slot. */
		i = random_below(MOVED / STEP) * STEP;
		madvise(region_page(&r, i), STEP * PAGE_BYTES, MADV_POPULATE_WRITE);
		usleep(PAUSE_US);
	}
}

FIXTURE_SETUP(cli_swap_storm)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");

	TEARDOWN_FROM_HERE();
	/* Frees slots of processes that have exited, which only the swap cache holds. */
	ASSERT_EQ(0, swapoff(disk)) TH_LOG("%m");
	ASSERT_EQ(0, swapon(disk, 0)) TH_LOG("%m");
	self->file = memfd_create("still", 0);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, STILL * PAGE_BYTES));
	ASSERT_EQ(0, file_swap_out(self->file, STILL));
	ASSERT_EQ(0, child_start(&self->mover, move_pages_for_ever, NULL));
	ASSERT_TRUE(child_hear(&self->mover));
}

FIXTURE_TEARDOWN(cli_swap_storm)
{
	child_kill(&self->mover);
	cli_free(&self->out);
	close(self->file);
}

TEST_F(cli_swap_storm, every_slot_is_told_while_pages_move)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	long long used, unexplained, change, sum = 0;
	int i;

	for (i = 0; i < SHEETS; i++) {
		cli_free(&self->out);
		ASSERT_EQ(0, cli_run(&self->out, "swap --json"));
		ASSERT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
		used = sheet_number(&self->out, disk, "used");
		unexplained = used - sheet_explained(&self->out, disk);
		change = cli_number(&self->out, NULL, "changed") +
			 cli_number(&self->out, NULL, "moved");
		ksft_print_msg("%lld slots used, %lld unexplained, %lld changed\n", used,
			       unexplained, change);
		/* The mover's last step may be under way as the sheet begins and ends. */
		EXPECT_GE(2 * STEP, llabs(unexplained)) TH_LOG("%s", self->out.text);
		EXPECT_EQ(STILL, sheet_number(&self->out, disk, "files"));
		sum += change;
	}
	EXPECT_LT(0, sum);
}

TEST_HARNESS_MAIN
