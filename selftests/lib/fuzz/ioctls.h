/* SPDX-License-Identifier: GPL-2.0 */
/* ioctls with random structures, whose results are held against the interface. */
#ifndef SELFTESTS_FUZZ_IOCTLS_H
#define SELFTESTS_FUZZ_IOCTLS_H

#include <stddef.h>

#include "lib/fuzz/memory.h"

#define FUZZ_REGIONS 128

/*
 * One call of each on /proc/PID/pagemap, or on a shmem file. They return NULL if all rules
 * held, else the one that was broken; *@result is the call's result or negative errno.
 */
const char *fuzz_pagemap_scan(const struct arena *a, int fd, long *result);
const char *fuzz_pagemap_read(const struct arena *a, int fd, long *result);
const char *fuzz_shmem_scan(const struct arena *a, int fd, long *result);

#endif
