/* SPDX-License-Identifier: GPL-2.0 */
/* A device-mapper device whose reads can be made to fail, or to wait. */
#ifndef SELFTESTS_DM_H
#define SELFTESTS_DM_H

#include <stdbool.h>
#include <stddef.h>

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

#endif
