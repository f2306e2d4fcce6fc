/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looks at memory that is being changed, again and again, and holds what it is
 * shown against the shadow and against the bytes on the swap disk. Why what it
 * calls wrong is wrong: see storm.c.
 */
#ifndef SELFTESTS_CHECKER_H
#define SELFTESTS_CHECKER_H

#include <stddef.h>

#include "lib/storm/report.h"
#include "lib/storm/shadow.h"
#include "lib/storm/view.h"

#define CHECKER_VIEWS 8

struct brief {
	struct shadows *all;
	size_t views;
	struct checker_view {
		struct view o;
		size_t shadow;	/* whose region it shows */
	} view[CHECKER_VIEWS];
	struct report *report;	/* shared memory */
};

/*
 * Looks until it is over, or something is wrong. Returns 0, or a negative
 * errno where it could not look.
 */
int checker_run(const struct brief *b);

#endif
