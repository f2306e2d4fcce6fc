/* SPDX-License-Identifier: GPL-2.0 */
/* Compares entries with /proc's, bit for bit. */
#ifndef SELFTESTS_COMPARE_H
#define SELFTESTS_COMPARE_H

#include <stddef.h>

#include "lib/pagemap/source.h"

/*
 * Compares the entries of @pages pages from @addr on. /proc is read before and after, and if
 * its two results differ, all is read again. Returns the number of entries that differ,
 * or a negative errno: -EBUSY if /proc's results always differ.
 */
long compare_range(const struct source *src, const void *addr, size_t pages);

/* Number of entries that have all of @bits, or a negative errno. */
long count_entries(int fd, const void *addr, size_t pages, __u64 bits);

#endif
