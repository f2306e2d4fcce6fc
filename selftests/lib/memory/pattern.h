/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents that tell which page they are. Every word depends on the identity
 * of the memory and on the page's number in it, no page is zero, and none
 * compresses.
 */
#ifndef SELFTESTS_PATTERN_H
#define SELFTESTS_PATTERN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_BYTES 4096

/*
 * An identity nobody had before, so that what earlier tests left on the swap
 * disk is never mistaken for this one's.
 */
__u64 pattern_new_id(void);

void pattern_fill(void *page, __u64 id, __u64 number);
bool pattern_matches(const void *page, __u64 id, __u64 number);

/* Whether a page is intact, whatever it is; tells which. */
bool pattern_read(const void *page, __u64 *id, __u64 *number);

/* Says in words what is in a page, for diagnostics. */
void pattern_describe(const void *page, __u64 id, char *buf, size_t size);

#endif
