/* SPDX-License-Identifier: GPL-2.0 */
/* A device-mapper device over another, whose reads can be made to fail, or wait. */
#ifndef SELFTESTS_DM_H
#define SELFTESTS_DM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes a device of @pages pages over the one at @below; there is one at a time.
 * What swapon(2) is to be given is then in @path. Returns 0 or a negative errno.
 */
int dm_create(const char *below, size_t pages, char *path, size_t size);

/* From now on its reads fail, or no longer do. Writes always reach the device. */
int dm_fail_reads(const char *below, size_t pages, bool fail);

/* From now on all requests to it wait, or no longer do. */
int dm_hold(bool hold);

/* Has no effect where there is none. */
int dm_remove(void);

#endif
