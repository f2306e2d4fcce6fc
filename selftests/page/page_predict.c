// SPDX-License-Identifier: GPL-2.0
/*
 * Predictions of PID/page for pages of every kind: each page is written to, or the process
 * forks, and the frames in /proc/PID/pagemap of parent and child must be as predicted.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define SAMPLES	300	/* pages of each kind */

FIXTURE(page_predict) {
	struct region regions[KINDS];
	struct exclusive ex;
	struct child child;
	struct kinds_state state;
	struct predictor p;
};

FIXTURE_SETUP(page_predict)
{
	size_t i;

	TEARDOWN_FROM_HERE();
	for (i = 0; i < KINDS; i++) {
		ASSERT_EQ(0, kind_make(&memory_kinds[i], &self->regions[i], &self->state))
			TH_LOG("%s", memory_kinds[i].name);
	}
	ASSERT_EQ(0, ksm_pause());
	ASSERT_EQ(0, child_start_idle(&self->child));
	for (i = 0; i < KINDS; i++)
		kind_after_fork(&memory_kinds[i], &self->regions[i]);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->p = (struct predictor){ .ex = &self->ex, .fd = page_open(getpid()) };
	ASSERT_LE(0, self->p.fd);
}

FIXTURE_TEARDOWN(page_predict)
{
	close(self->p.fd);
	child_kill(&self->child);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	EXPECT_EQ(0, kinds_unmake(&self->state));
}

/* The page of a sample: spread over the region. */
static unsigned char *sample(const struct region *r, size_t i)
{
	return region_page(r, i * r->pages / SAMPLES);
}

/* Stops at the first page that could not be looked at. Returns 0 or a negative errno. */
static int write_samples(struct predictor *p, const struct region *regions)
{
	size_t i, j;
	int err = 0;

	for (i = 0; i < KINDS && !err; i++)
		for (j = 0; j < SAMPLES && !err; j++)
			err = predict_write(p, memory_kinds[i].name, sample(&regions[i], j));
	ksft_print_msg("%zu of %zu predictions right\n", p->right, p->made);
	return err;
}

TEST_F(page_predict, writes)
{
	EXPECT_EQ(0, write_samples(&self->p, self->regions));
	EXPECT_EQ(KINDS * SAMPLES, self->p.made);
	EXPECT_EQ(self->p.made, self->p.right);
}

/* The child that is gone leaves pages that nobody else has. */
TEST_F(page_predict, writes_after_the_child_exited)
{
	child_kill(&self->child);
	EXPECT_EQ(0, write_samples(&self->p, self->regions));
	EXPECT_EQ(KINDS * SAMPLES, self->p.made);
	EXPECT_EQ(self->p.made, self->p.right);
}

TEST_F(page_predict, forks)
{
	struct forecast *f = calloc(KINDS * SAMPLES, sizeof(*f));
	struct child child;
	size_t i, j;
	int err = 0, proc;

	ASSERT_NE(NULL, f);
	for (i = 0; i < KINDS && !err; i++) {
		struct region *r = &self->regions[i];

		/* MADV_DONTFORK of hugetlb cannot be taken back. */
		if (memory_kinds[i].map != hugetlb_map)
			err = madvise(r->addr, r->pages * PAGE_BYTES, MADV_DOFORK);
		for (j = 0; j < SAMPLES && !err; j++)
			err = predict_fork(&self->p, memory_kinds[i].name, sample(r, j),
					   &f[i * SAMPLES + j]);
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, child_start_idle(&child));
	proc = proc_pagemap_open(child.pid);
	ASSERT_LE(0, proc);
	for (i = 0; i < KINDS * SAMPLES && !err; i++)
		err = check_fork(&self->p, &f[i], proc);
	EXPECT_EQ(0, err);
	EXPECT_EQ(KINDS * SAMPLES, self->p.made);
	ksft_print_msg("%zu of %zu predictions right\n", self->p.right, self->p.made);
	EXPECT_EQ(self->p.made, self->p.right);
	close(proc);
	child_kill(&child);
	free(f);
}

TEST_HARNESS_MAIN
