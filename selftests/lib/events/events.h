/* SPDX-License-Identifier: GPL-2.0 */
/* A target's PID/trace and PID/events. */
#ifndef SELFTESTS_EVENTS_H
#define SELFTESTS_EVENTS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/events/event.h"

/* A parsed log; all zeroes before the first read. */
struct events {
	struct event *of;		/* oldest first */
	const struct event **by_addr;	/* sorted by address, then by age */
	size_t count, room;
	__u64 dropped;		/* from the log's comments */
	bool with_ip;		/* its lines have the column ip */
	bool gone;		/* a comment says that the address space is gone */
};

/* All return 0 or a negative errno. */
int events_start(pid_t pid);
int events_start_mode(pid_t pid, const char *mode);
int events_stop(pid_t pid);

/* 0 or 1, or a negative errno. */
int events_started(pid_t pid);

/* Returns a file descriptor or a negative errno. */
int events_open(pid_t pid);

/*
 * Reads the log and replaces @log's contents. -EPROTO, and prints the line, if one is not
 * exactly in the documented format, or not newer than the one before.
 */
int events_read(struct events *log, pid_t pid);
int events_parse(struct events *log, char *text);
void events_free(struct events *log);

/*
 * The next event after @e, or the first if that is NULL, that has all nonzero members of
 * @like except seq, ns and site. NULL if there is none.
 */
const struct event *events_next(const struct events *log, const struct event *e,
				const struct event *like);
size_t events_count(const struct events *log, const struct event *like);

/* Number of events of the page at @addr, in @first, oldest first. */
size_t events_at(const struct events *log, const void *addr,
		 const struct event *const **first);

/* True if at most one event in a hundred has the cause `other`; prints the first of these. */
bool events_explained(const struct events *log);

#endif
