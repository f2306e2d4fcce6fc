/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents that identify a page. Every word depends on the identity of the memory and on the
 * page's number in it, no page is zero, and none compresses.
 */
#ifndef SELFTESTS_PATTERN_H
#define SELFTESTS_PATTERN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_BYTES 4096

/* A random identity: pages of earlier tests, still on the swap disk, have others. */
__u64 pattern_new_id(void);

void pattern_fill(void *page, __u64 id, __u64 number);
bool pattern_matches(const void *page, __u64 id, __u64 number);

/* True if the bytes are the contents of any page; stores its identity and number. */
bool pattern_read(const void *page, __u64 *id, __u64 *number);

/* Describes the contents of a page, for diagnostics. */
void pattern_describe(const void *page, __u64 id, char *buf, size_t size);

#endif
