/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that changes at random: an arena of mappings, and the shmem file behind some. */
#ifndef SELFTESTS_FUZZ_MEMORY_H
#define SELFTESTS_FUZZ_MEMORY_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/system/child.h"

#define ARENA_PAGES	2048UL
#define ARENA_BYTES	(ARENA_PAGES * 4096UL)
#define FILE_PAGES	1024UL

struct arena {
	unsigned char *addr;
	int fd;
	__u64 seed;
	unsigned long changes;		/* by all processes that change it; shared */
};

/* Maps the arena, all of it inaccessible, and makes the file. Returns 0 or a negative errno. */
int arena_map(struct arena **a, __u64 seed);

/* A child's body: changes the arena @arg until its parent closes the pipe. */
int arena_change(struct child *c, void *arg);

#endif
