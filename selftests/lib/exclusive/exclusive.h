/* SPDX-License-Identifier: GPL-2.0 */
/* A target's PID/exclusive, PID/summary and PID/violations. */
#ifndef SELFTESTS_EXCLUSIVE_H
#define SELFTESTS_EXCLUSIVE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/system/child.h"

/* An entry that could not be read; no entry has this value. */
#define EX_ERROR (~0ULL)

struct exclusive {
	pid_t pid;
	int fd;		/* PID/exclusive */
	int proc;	/* /proc/PID/pagemap: the frames */
	bool attached;
};

/* Attaches @pid. All return 0 or a negative errno. */
int exclusive_open(struct exclusive *ex, pid_t pid);
/* No effect if never opened. */
int exclusive_close(struct exclusive *ex);
/* Closes a target and the one that is its child, and kills the child. */
int exclusive_close_both(struct exclusive *ex, struct exclusive *other, struct child *c);

/* A child, as by child_start(), that is a target. Both return 0 or a negative errno. */
int exclusive_child(struct exclusive *ex, struct child *c,
		    int (*body)(struct child *c, void *arg), void *arg);
int exclusive_child_idle(struct exclusive *ex, struct child *c);

/* The entry of one page, or EX_ERROR. */
__u64 exclusive_at(const struct exclusive *ex, const void *addr);

/* Number of entries that equal @bits under @mask, or a negative errno. */
long exclusive_count(const struct exclusive *ex, const void *addr, size_t pages,
		     __u64 mask, __u64 bits);

/*
 * Number of lines of PID/violations, or a negative errno: all that are certain, the first
 * of which are printed; those that are suspected of the page at @addr.
 */
long violations_of(const struct exclusive *ex);
long suspected_at(const struct exclusive *ex, const void *addr);

/*
 * A number of PID/summary by the name of its column: of the line of the VMA that
 * starts at @vma, or of the total if @vma is NULL. Or a negative errno, -ENOENT
 * if there is no such line or column.
 */
long long summary_value(const struct exclusive *ex, const void *vma,
			const char *column);

/* Prints the names of the bits that are set, and the counts. */
void exclusive_describe(__u64 entry, char *buf, size_t size);

#endif
