/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Swap devices of a test, beside the disk. The list of those in use is /proc/swaps, so that
 * a test's parent can remove those that the test has left.
 */
#ifndef SELFTESTS_SWAPDEV_H
#define SELFTESTS_SWAPDEV_H

#include <stddef.h>

#define SWAPDEV_PATH 64

/*
 * A loop device over tmpfs mounted noswap. It exists as long as it is open. Returns a file
 * descriptor or a negative errno.
 */
int swapdev_loop(size_t pages, char *path);

/* The first zram device, of @pages pages. Returns 0 or a negative errno. */
int swapdev_zram(size_t pages, char *path);

/*
 * Makes a swap area of the @pages pages of a device, with a priority above all others. It is
 * used after at most 512 more pages, since each CPU fills the cluster of a device that it
 * has begun. Binds the caller to one CPU, so that this holds for its own swap-out.
 * Returns 0 or a negative errno.
 */
int swapdev_on(const char *path, size_t pages);

/*
 * swapoff and swapon of the disk. That frees the slots of processes that have exited which
 * only the swap cache holds: no page table or file tells of them. Returns 0 or a negative
 * errno.
 */
int swapdev_restart(void);

/* swapoff of all but the disk, and removal. Returns 0 or a negative errno. */
int swapdev_remove_all(void);

#endif
