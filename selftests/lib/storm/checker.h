/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the state of files that are being changed, and compares the entries with the
 * shadows and with the bytes on the swap disk. storm/storm.c has the rules, and why an
 * entry that breaks one cannot be true.
 */
#ifndef SELFTESTS_CHECKER_H
#define SELFTESTS_CHECKER_H

#include <stddef.h>

#include "lib/storm/report.h"
#include "lib/storm/shadow.h"
#include "lib/storm/view.h"

#define CHECKER_VIEWS 8

struct checker_args {
	struct shadows *all;
	size_t views;
	struct checker_view {
		struct view v;
		size_t shadow;	/* index of the file that it shows */
	} view[CHECKER_VIEWS];
	struct report *report;	/* shared memory */
};

/*
 * Runs until all->stop is set, or sets it when an entry is wrong. Returns 0, or a negative
 * errno if it cannot read.
 */
int checker_run(const struct checker_args *args);

#endif
