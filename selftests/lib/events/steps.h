/* SPDX-License-Identifier: GPL-2.0 */
/* Expected events of each page of a region, in order. */
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
	const __u64 *frames;		/* frame of each page; NULL: any */
	const struct actor *by;		/* NULL: this process */
};

/*
 * Number of pages whose events in the log are exactly these, in this order. Prints the
 * events of the first other pages.
 */
size_t steps_taken(const struct events *log, const struct region *r,
		   const struct step *steps, size_t count);

#define STEPS_TAKEN(log, r, ...)							\
	steps_taken(log, r, (const struct step[]){ __VA_ARGS__ },			\
		    sizeof((const struct step[]){ __VA_ARGS__ }) / sizeof(struct step))

/* Number of pages without events; prints the events of the first others. */
size_t steps_none(const struct events *log, const struct region *r);

/*
 * Number of frames with exactly one such event, at any address: events of pages that are
 * not mapped any more have none.
 */
size_t steps_of_frames(const struct events *log, const __u64 *frames, size_t count,
		       enum event_op op, enum cause cause);

#endif
