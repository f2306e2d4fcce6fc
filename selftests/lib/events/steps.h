/* SPDX-License-Identifier: GPL-2.0 */
/* What must have happened to each page of a region, step by step. */
#ifndef SELFTESTS_STEPS_H
#define SELFTESTS_STEPS_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/events/actor.h"
#include "lib/events/events.h"
#include "lib/memory/region.h"

struct step {
	enum event_op op;
	enum cause cause;
	const __u64 *frames;		/* of each page; NULL: any */
	const struct actor *by;		/* NULL: the caller */
};

/*
 * How many pages of the region the log has exactly these events of, in that order. The
 * first that it has others of are printed.
 */
size_t steps_taken(const struct events *log, const struct region *r,
		   const struct step *steps, size_t count);

#define STEPS_TAKEN(log, r, ...)							\
	steps_taken(log, r, (const struct step[]){ __VA_ARGS__ },			\
		    sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

/* How many pages of the region the log has no event of; others are printed. */
size_t steps_none(const struct events *log, const struct region *r);

/*
 * How many of the frames have one event of that kind, wherever it was: of what is
 * not mapped any more, the log does not tell the address.
 */
size_t steps_of_frames(const struct events *log, const __u64 *frames, size_t count,
		       enum event_op op, enum cause cause);

#endif
