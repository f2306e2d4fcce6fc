/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup of a test, with a memory limit and memory.reclaim. */
#ifndef SELFTESTS_CGROUP_H
#define SELFTESTS_CGROUP_H

#include <stddef.h>

/*
 * Rounds of at least 10 ms until reclaim has succeeded. An empty inactive list keeps reclaim
 * from the active one as long as the cgroup's statistics show another state, and the kernel
 * sums up those of a small cgroup once in 2 s (FLUSH_TIME, mm/memcontrol.c).
 */
#define RECLAIM_TRIES	1000

struct cgroup {
	char path[128];
};

/* All return 0 or a negative errno. */
int cgroup_create(struct cgroup *cg);
int cgroup_enter(const struct cgroup *cg);
int cgroup_leave(void);
int cgroup_set_max(const struct cgroup *cg, size_t bytes);
int cgroup_reclaim(const struct cgroup *cg, size_t bytes);

/* Frees the cgroup's pages in the swap cache. */
int cgroup_drop_swap_cache(const struct cgroup *cg);

/* Moves its processes to the root cgroup, and removes it. */
int cgroup_destroy(struct cgroup *cg);

/* The number in a file of the cgroup, or a negative errno. */
long long cgroup_value(const struct cgroup *cg, const char *file);

#endif
