/* SPDX-License-Identifier: GPL-2.0 */
/* A device-mapper device whose reads can be made to fail, or to wait. */
#ifndef SELFTESTS_DM_H
#define SELFTESTS_DM_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/swap/swapdev.h"
#include "lib/system/setting.h"

/*
 * Makes a device of @pages pages on top of the one at @below, and stores its @path; there is
 * one at a time. All return 0 or a negative errno.
 */
int dm_create(const char *below, size_t pages, char *path, size_t size);

/* Makes reads fail, or work again. Writes always reach the device. */
int dm_fail_reads(const char *below, size_t pages, bool fail);

/* Makes all requests wait, or go on. */
int dm_hold(bool hold);

/* No effect if there is none. */
int dm_remove(void);

/* Such a device on top of a loop device, for swap without readahead. */
struct dm_swap {
	struct setting cluster;
	size_t pages;
	char below[SWAPDEV_PATH], path[SWAPDEV_PATH];	/* empty before there is one */
};

/* Makes it; the caller calls swapdev_on(). */
int dm_swap_create(struct dm_swap *s, size_t pages);
int dm_swap_fail_reads(const struct dm_swap *s, bool fail);

/* Lets all requests succeed, then removes the device and all others but the disk. */
int dm_swap_remove(struct dm_swap *s);

#endif
