/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A target's PID/trace and PID/events: who set and cleared the exclusive bit of which
 * page, and why.
 */
#ifndef SELFTESTS_EVENTS_H
#define SELFTESTS_EVENTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/events/event.h"

/* What a log says; all zeroes before the first reading. */
struct events {
	struct event *of;		/* oldest first */
	const struct event **by_addr;	/* and then by age */
	size_t count, room;
	__u64 dropped;		/* as comments say */
	bool gone;		/* the address space, as a comment says */
};

/* All return 0 or a negative errno. */
int events_start(pid_t pid);
int events_stop(pid_t pid);

/* 0 or 1, or a negative errno. */
int events_started(pid_t pid);

/* Returns a file descriptor or a negative errno. */
int events_open(pid_t pid);

/*
 * Reads the log, which replaces what was read before. -EPROTO where a line is not
 * exactly as the contract has it, or not younger than the one before; it is printed.
 */
int events_read(struct events *log, pid_t pid);
int events_parse(struct events *log, char *text);
void events_free(struct events *log);

/*
 * The next event after @e, or the first where that is NULL, with all that is set in
 * @like but for its times and its site. NULL where there is none.
 */
const struct event *events_next(const struct events *log, const struct event *e,
				const struct event *like);
size_t events_count(const struct events *log, const struct event *like);

/* How many events the page at @addr has had; @first is the oldest, the others follow. */
size_t events_at(const struct events *log, const void *addr,
		 const struct event *const **first);

/*
 * Whether the causes are known of all but one event in a hundred. Those whose cause
 * is not known are printed.
 */
bool events_explained(const struct events *log);

#endif
