/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel allocates on behalf of this process, by its own tracepoints:
 * the sum of bytes_alloc of kmem:kmalloc and kmem:kmem_cache_alloc.
 */
#ifndef SELFTESTS_ALLOCATION_H
#define SELFTESTS_ALLOCATION_H

/* From here on. Returns 0 or a negative errno. */
int allocation_watch(void);

/* Up to here: the bytes, or a negative errno. */
long long allocation_bytes(void);

#endif
