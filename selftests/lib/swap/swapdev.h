/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap devices of the test's own, beside the disk. What is in use is known to
 * the kernel alone, so that a test's parent can remove what the test left.
 */
#ifndef SELFTESTS_SWAPDEV_H
#define SELFTESTS_SWAPDEV_H

#include <stddef.h>

#define SWAPDEV_PATH 64

/*
 * A loop device over memory that does not swap. It is there as long as somebody
 * has it open; returns a file descriptor or a negative errno.
 */
int swapdev_loop(size_t pages, char *path);

/* The first zram device, of @pages pages. Returns 0 or a negative errno. */
int swapdev_zram(size_t pages, char *path);

/*
 * Makes a swap area of the @pages pages of a device and has it used before any
 * other: after 512 more pages at most, for each CPU goes on with the stretch of a
 * device that it has begun. The caller stays on one CPU from now on, so that this
 * is true of what it swaps out itself. Returns 0 or a negative errno.
 */
int swapdev_on(const char *path, size_t pages);

/* All but the disk: off, and gone. Returns 0 or a negative errno. */
int swapdev_remove_all(void);

#endif
