/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls ioctl(SHMEM_SCAN) on files that are being changed, and compares the categories with
 * the shadows and with the bytes. storm/shmem_scan_storm.c has the rules.
 */
#ifndef SELFTESTS_SCANNED_H
#define SELFTESTS_SCANNED_H

#include <stddef.h>

#include "lib/storm/shadow.h"

/* Counts of one process, in shared memory. */
struct scanned {
	size_t scans;
	size_t pages;		/* in these scans */
	size_t unchanged;	/* of these, pages that stayed as they were during the scan */
	size_t cached, swapped;	/* unchanged pages with data, by their category */
	size_t holes;		/* unchanged pages without data */
	size_t read;		/* unchanged pages whose bytes were read, and were the shadow's */
	size_t wrong;
	char first[256];	/* the first that was wrong, in words */
};

/*
 * Runs until all->stop is set, or sets it when a page is wrong. Returns 0, or a negative errno
 * if a scan fails or its result breaks the interface.
 */
int scanned_run(struct shadows *all, struct scanned *s);

/* Checks all pages of all files, and reads the bytes of each. For files at rest. */
int scanned_all(struct shadows *all, struct scanned *s);

void scanned_add(struct scanned *sum, const struct scanned *s);
void scanned_print(const struct scanned *s, const char *when);

#endif
