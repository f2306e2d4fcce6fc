/* SPDX-License-Identifier: GPL-2.0 */
/* File systems that a test mounts, below /run. */
#ifndef SELFTESTS_MOUNTED_H
#define SELFTESTS_MOUNTED_H

#include <stddef.h>

struct mounted {
	char dir[64];
};

/* All return 0 or a negative errno. */
int mounted_tmpfs(struct mounted *m, const char *options);
int mounted_remove(struct mounted *m);

/* Makes a file of @pages pages; returns a file descriptor or a negative errno. */
int mounted_file(const struct mounted *m, const char *name, size_t pages);

#endif
