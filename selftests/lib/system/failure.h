/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failures of one allocation, or of one copy from or to the user, of the calling thread:
 * failslab, fail_page_alloc and fail_usercopy by /proc/thread-self/fail-nth.
 */
#ifndef SELFTESTS_FAILURE_H
#define SELFTESTS_FAILURE_H

#include <stdbool.h>

#define FAIL_NTH "/proc/thread-self/fail-nth"

/* Lets allocations that may sleep fail too, and those of single pages; and undoes that. */
int failures_prepare(void);
int failures_restore(void);

/*
 * From failure_begin() on, the @nth allocation or copy fails, counted from 1.
 * failure_end() returns 1 if it was reached, 0 if not, or a negative errno.
 */
int failure_begin(unsigned int nth);
int failure_end(void);

#endif
