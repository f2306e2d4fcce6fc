/* SPDX-License-Identifier: GPL-2.0 */
/* A target's PID/exclusive, PID/summary and PID/violations. */
#ifndef SELFTESTS_EXCLUSIVE_H
#define SELFTESTS_EXCLUSIVE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/system/child.h"

/* What no entry is: an entry could not be read. */
#define EX_ERROR (~0ULL)

struct exclusive {
	pid_t pid;
	int fd;		/* PID/exclusive */
	int proc;	/* /proc/PID/pagemap: the frames */
	bool attached;
};

/* Attaches @pid. Returns 0 or a negative errno, and so does closing. */
int exclusive_open(struct exclusive *ex, pid_t pid);
int exclusive_close(struct exclusive *ex);

/* A child, as by child_start(), that is a target. Both return 0 or a negative errno. */
int exclusive_child(struct exclusive *ex, struct child *c,
		    int (*body)(struct child *c, void *arg), void *arg);
int exclusive_child_idle(struct exclusive *ex, struct child *c);

/* The entry of one page, or EX_ERROR. */
__u64 exclusive_at(const struct exclusive *ex, const void *addr);

/* How many of the entries have @bits of @mask and no others, or a negative errno. */
long exclusive_count(const struct exclusive *ex, const void *addr, size_t pages,
		     __u64 mask, __u64 bits);

/*
 * Lines of PID/violations: of rules that are broken for certain, which are printed; and
 * of those that only may be, for the page at @addr. A negative errno, or how many.
 */
long violations_of(const struct exclusive *ex);
long suspicions_of(const struct exclusive *ex, const void *addr);

/*
 * A number of PID/summary by the name of its column: of the line of the VMA that
 * starts at @vma, or of the total where @vma is NULL. A negative errno, -ENOENT
 * where there is no such line or column.
 */
long long summary_value(const struct exclusive *ex, const void *vma,
			const char *column);

/* The bits that are set by their names, and the counts. */
void exclusive_describe(__u64 entry, char *buf, size_t size);

#endif
