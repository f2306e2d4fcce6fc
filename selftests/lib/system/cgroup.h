/* SPDX-License-Identifier: GPL-2.0 */
/* A cgroup of the test's own, in which the kernel reclaims by itself. */
#ifndef SELFTESTS_CGROUP_H
#define SELFTESTS_CGROUP_H

#include <stddef.h>

struct cgroup {
	char path[128];
};

/* All return 0 or a negative errno. */
int cgroup_create(struct cgroup *cg);
int cgroup_enter(const struct cgroup *cg);
int cgroup_leave(void);
int cgroup_set_max(const struct cgroup *cg, size_t bytes);
int cgroup_reclaim(const struct cgroup *cg, size_t bytes);

/* Frees the copies in memory of what has reached the swap disk already. */
int cgroup_drop_swap_cache(const struct cgroup *cg);

/* Removes it. Processes still inside are moved out first. */
int cgroup_destroy(struct cgroup *cg);

/* A number in one of the cgroup's files, or a negative errno. */
long long cgroup_value(const struct cgroup *cg, const char *file);

#endif
