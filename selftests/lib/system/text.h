/* SPDX-License-Identifier: GPL-2.0 */
/* Text files of proc, sysfs, cgroup and debugfs. */
#ifndef SELFTESTS_TEXT_H
#define SELFTESTS_TEXT_H

#include <stddef.h>

#include "kselftest.h"

/* One write of @len bytes. Returns 0, or the negative errno of open or write. */
int write_file(const char *path, const void *buf, size_t len);

/* write_file() of a formatted string. */
int __printf(2, 3) write_text(const char *path, const char *fmt, ...);

/*
 * Reads a whole file into @buf and ends it with a NUL. Returns the length or a negative
 * errno, -EFBIG if it does not fit.
 */
long read_text(const char *path, char *buf, size_t size);

/* The number after @key in a file of "key value" lines, or a negative errno. */
long long read_value(const char *path, const char *key);

/*
 * Reads from the offset of @fd to its end, @step bytes at a time. Returns the text,
 * malloc()ed, with a NUL at its end, or NULL with errno.
 */
char *read_to_end(int fd, size_t step, size_t *len);

#endif
