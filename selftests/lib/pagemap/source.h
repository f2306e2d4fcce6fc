/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pagemap under test: PID/pagemap, or with XPAGEMAP_SOURCE=proc in the environment
 * /proc/PID/pagemap, for a kernel without xpagemap.
 */
#ifndef SELFTESTS_SOURCE_H
#define SELFTESTS_SOURCE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct source {
	pid_t pid;
	int fd;		/* the pagemap under test */
	int proc;	/* /proc's of the same process */
	bool attached;
};

bool source_is_proc(void);

/* Attaches @pid if needed and opens both files. Returns 0 or a negative errno. */
int source_open(struct source *src, pid_t pid);

/* Closes both, and detaches if source_open() has attached. */
int source_close(struct source *src);

/* Reads entries of @pages pages from @addr on. Returns their number, or a negative errno. */
long pagemap_read(int fd, const void *addr, __u64 *entries, size_t pages);

/* Returns a file descriptor or a negative errno. */
int proc_pagemap_open(pid_t pid);
int target_open(pid_t pid);

/* 0 or a negative errno. */
int attach(pid_t pid);
int detach(pid_t pid);

/* A line of stats, or a negative errno. */
long long stats_value(const char *key);

/* State that a failed call must not change. */
struct control_state {
	long long targets;
	int entries;		/* of xpagemap's directory */
};

struct control_state control_state_now(void);
bool control_unchanged(struct control_state before);

/* True if the directory of the target exists. */
bool is_attached(pid_t pid);

#endif
