// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap` while another caller attaches and detaches the processes and a file that have
 * slots: a target that goes while it is read is read again, and no owner is left out.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define OWNERS	8	/* processes ... */
#define OWNED	64	/* ... with so many pages in swap each */
#define FILED	128	/* pages of a file that nobody maps */
#define PAUSE_US 200
#define SHEETS	2

struct targets {
	struct child owners[OWNERS];
	char id[64];	/* of the file */
};

FIXTURE(cli_swap_detached) {
	struct targets targets;
	struct child attacher;
	struct cli out;
	int file;
};

static int own(struct child *c, void *arg)
{
	struct region r;

	(void)arg;
	if (region_map_filled(&r, OWNED) || region_pageout(&r) || !child_tell(c))
		return 1;
	child_hear(c);
	return 0;
}

/*
 * Detaches what it has attached, and not what the command has. Each target is there for a
 * fourth of the time: at most so often has the command to read again.
 */
static int attach_for_ever(struct child *c, void *arg)
{
	struct targets *t = arg;
	bool attached[OWNERS + 1] = {};
	size_t i;

	if (!child_tell(c))
		return 1;
	for (;; usleep(PAUSE_US)) {
		i = random_below(OWNERS + 1);
		if (attached[i]) {
			attached[i] = false;
			i < OWNERS ? detach(t->owners[i].pid) : detach_fd(t->id);
		} else if (!random_below(3)) {
			attached[i] = !(i < OWNERS ? attach(t->owners[i].pid) :
						     attach_file(t->id));
		}
	}
}

FIXTURE_SETUP(cli_swap_detached)
{
	int i;

	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, swapdev_restart());
	self->file = memfd_create("detached", 0);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, FILED * PAGE_BYTES));
	ASSERT_EQ(0, file_swap_out(self->file, FILED));
	file_id(self->file, self->targets.id, sizeof(self->targets.id));
	for (i = 0; i < OWNERS; i++) {
		ASSERT_EQ(0, child_start(&self->targets.owners[i], own, NULL));
		ASSERT_TRUE(child_hear(&self->targets.owners[i]));
	}
	ASSERT_EQ(0, child_start(&self->attacher, attach_for_ever, &self->targets));
	ASSERT_TRUE(child_hear(&self->attacher));
}

FIXTURE_TEARDOWN(cli_swap_detached)
{
	int i;

	child_kill(&self->attacher);
	for (i = 0; i < OWNERS; i++) {
		detach(self->targets.owners[i].pid);
		child_kill(&self->targets.owners[i]);
	}
	detach_fd(self->targets.id);
	cli_free(&self->out);
	close(self->file);
}

TEST_F(cli_swap_detached, every_owner_is_told)
{
	char key[80];
	int i, j;

	for (i = 0; i < SHEETS; i++) {
		cli_free(&self->out);
		ASSERT_EQ(0, cli_run(&self->out, "swap --json"));
		ASSERT_EQ(0, self->out.status) TH_LOG("%s", self->out.text);
		for (j = 0; j < OWNERS; j++) {
			snprintf(key, sizeof(key), "\"pid\":%d,", self->targets.owners[j].pid);
			EXPECT_LE(OWNED, cli_number(&self->out, key, "alone"));
		}
		snprintf(key, sizeof(key), "\"id\":\"%s\"", self->targets.id);
		EXPECT_EQ(FILED, cli_number(&self->out, key, "alone"));
		EXPECT_FALSE(cli_says(&self->out, "cannot"));
	}
}

TEST_HARNESS_MAIN
