/* SPDX-License-Identifier: GPL-2.0 */
/* Bit for bit equality with /proc, where that is the whole contract. */
#ifndef SELFTESTS_COMPARE_H
#define SELFTESTS_COMPARE_H

#include <stddef.h>

#include "lib/pagemap/source.h"

/*
 * Compares the entries of @pages pages from @addr on. /proc is read before and
 * after; while its own two answers differ the memory does not hold still, and
 * the comparison is made again. Returns the number of entries that differ, or
 * a negative errno: -EBUSY where it never holds still.
 */
long compare_range(const struct source *src, const void *addr, size_t pages);

/* How many of those entries have all of @bits, or a negative errno. */
long count_entries(int fd, const void *addr, size_t pages, __u64 bits);

#endif
