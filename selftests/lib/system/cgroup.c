// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/system/cgroup.h"
#include "lib/system/text.h"

static const char *cgroup_root(void)
{
	if (!access("/sys/fs/cgroup/unified/cgroup.procs", F_OK))
		return "/sys/fs/cgroup/unified";
	return "/sys/fs/cgroup";
}

static void cgroup_file(const struct cgroup *cg, const char *name, char *buf,
			size_t size)
{
	snprintf(buf, size, "%s/%s", cg->path, name);
}

int cgroup_create(struct cgroup *cg)
{
	static int number;
	char path[256];
	int err;

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_root());
	err = write_text(path, "+memory");
	if (err)
		return err;
	snprintf(cg->path, sizeof(cg->path), "%s/xpagemap-test-%d-%d", cgroup_root(),
		 getpid(), number++);
	if (mkdir(cg->path, 0755)) {
		err = -errno;
		cg->path[0] = '\0';
		return err;
	}
	return 0;
}

int cgroup_enter(const struct cgroup *cg)
{
	char path[256];

	cgroup_file(cg, "cgroup.procs", path, sizeof(path));
	return write_text(path, "0");
}

int cgroup_leave(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_root());
	return write_text(path, "0");
}

int cgroup_set_max(const struct cgroup *cg, size_t bytes)
{
	char path[256];

	cgroup_file(cg, "memory.max", path, sizeof(path));
	return write_text(path, "%zu", bytes);
}

int cgroup_reclaim(const struct cgroup *cg, size_t bytes)
{
	char path[256];

	cgroup_file(cg, "memory.reclaim", path, sizeof(path));
	return write_text(path, "%zu", bytes);
}

int cgroup_drop_swap_cache(const struct cgroup *cg)
{
	char path[256];
	int tries;

	cgroup_file(cg, "memory.stat", path, sizeof(path));
	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		cgroup_reclaim(cg, 1UL << 30);
		if (!read_value(path, "swapcached"))
			return 0;
		usleep(20000);
	}
	return -EBUSY;
}

static void cgroup_evacuate(const struct cgroup *cg)
{
	char path[256], root[256], pids[4096];
	char *pid, *rest;

	cgroup_file(cg, "cgroup.procs", path, sizeof(path));
	snprintf(root, sizeof(root), "%s/cgroup.procs", cgroup_root());
	if (read_text(path, pids, sizeof(pids)) <= 0)
		return;
	for (pid = strtok_r(pids, "\n", &rest); pid; pid = strtok_r(NULL, "\n", &rest))
		write_text(root, "%s", pid);
}

int cgroup_destroy(struct cgroup *cg)
{
	int tries;

	if (!cg->path[0])
		return 0;
	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		cgroup_evacuate(cg);
		if (!rmdir(cg->path)) {
			cg->path[0] = '\0';
			return 0;
		}
		if (errno != EBUSY)
			break;
		usleep(20000);
	}
	return -errno;
}

long long cgroup_value(const struct cgroup *cg, const char *file)
{
	char path[256], buf[64];
	long len;

	cgroup_file(cg, file, path, sizeof(path));
	len = read_text(path, buf, sizeof(buf));
	return len < 0 ? len : strtoll(buf, NULL, 10);
}
