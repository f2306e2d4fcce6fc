/* SPDX-License-Identifier: GPL-2.0 */
/* One line of PID/events: a change of PG_anon_exclusive. */
#ifndef SELFTESTS_EVENT_H
#define SELFTESTS_EVENT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum event_op { OP_ANY, OP_SET, OP_CLEAR };

enum cause {
	CAUSE_ANY,
	CAUSE_NEW,
	CAUSE_COW_COPY,
	CAUSE_COW_REUSE,
	CAUSE_UNSHARE,
	CAUSE_FORK_SHARE,
	CAUSE_FORK_COPY,
	CAUSE_SWAP_OUT,
	CAUSE_SWAP_IN,
	CAUSE_SWAPOFF,
	CAUSE_MIGRATE_START,
	CAUSE_MIGRATE_END,
	CAUSE_THP_SPLIT,
	CAUSE_COLLAPSE,
	CAUSE_KSM,
	CAUSE_UFFD_COPY,
	CAUSE_HUGETLB,
	CAUSE_DEVICE,
	CAUSE_MOVE,
	CAUSE_UNMAP,
	CAUSE_FREE,
	CAUSE_OTHER,
	CAUSES,
};

const char *cause_name(enum cause cause);

struct event {
	__u64 seq;
	__u64 ns;		/* of CLOCK_MONOTONIC */
	__u64 pfn;
	const unsigned char *addr;	/* NULL if unknown */
	enum event_op op;
	enum cause cause;
	pid_t pid;
	char comm[16];
	char site[64];		/* truncated */
	unsigned long ip;	/* of user mode; 0 if there is none, or no such column */
};

/*
 * Parses a line, with the column ip or without. Returns false if it is not exactly in the
 * documented format.
 */
bool event_parse(char *line, bool with_ip, struct event *e);

/* Prints a line as in the log. */
void event_describe(const struct event *e, char *buf, size_t size);

#endif
