/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernel memory allocated by this process: the sum of bytes_alloc of the tracepoints
 * kmem:kmalloc and kmem:kmem_cache_alloc.
 */
#ifndef SELFTESTS_ALLOCATION_H
#define SELFTESTS_ALLOCATION_H

/* Starts to count. Returns 0 or a negative errno. */
int allocation_watch(void);

/* Stops. Returns the number of bytes, or a negative errno. */
long long allocation_bytes(void);

#endif
