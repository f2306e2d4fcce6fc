/* SPDX-License-Identifier: GPL-2.0 */
/* PID/swapmap and files/ID/swapmap. */
#ifndef SELFTESTS_SWAPMAP_H
#define SELFTESTS_SWAPMAP_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/pagemap/listing.h"

/* Both return a file descriptor or a negative errno. */
int swapmap_open(pid_t pid);
int swapmap_open_file(const char *id);

/* The whole swapmap of a process, read in steps, malloc()ed; NULL with errno. */
char *swapmap_read(pid_t pid, size_t step, size_t *len);

/*
 * Reads a swapmap to its end and closes it. Calls @visit for each of the @pages pages from
 * @start on, in units of @unit, that is in a run: with its number from @start on, and that
 * from the run's first page on. Returns 0 or a negative errno, -EPROTO for malformed text. A
 * negative @fd is returned.
 */
int swapmap_visit(int fd, __u64 start, __u64 unit, size_t pages,
		  void (*visit)(size_t page, const struct run *run, __u64 of_run, void *arg),
		  void *arg);

#endif
