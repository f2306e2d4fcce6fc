// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/pagemap/source.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define PAGE_SHIFT 12

bool source_is_proc(void)
{
	const char *name = getenv("XPAGEMAP_SOURCE");

	return name && !strcmp(name, "proc");
}

int attach(pid_t pid)
{
	return write_text(XPAGEMAP_ATTACH, "%d\n", pid);
}

int detach(pid_t pid)
{
	return write_text(XPAGEMAP_DETACH, "%d\n", pid);
}

long long stats_value(const char *key)
{
	return read_value(XPAGEMAP_STATS, key);
}

struct control_state control_state_now(void)
{
	struct control_state s = { .targets = stats_value("targets") };
	DIR *dir = opendir(XPAGEMAP_DIR);

	while (dir && readdir(dir))
		s.entries++;
	if (dir)
		closedir(dir);
	return s;
}

bool control_unchanged(struct control_state before)
{
	struct control_state now = control_state_now();

	return now.targets == before.targets && now.entries == before.entries;
}

bool is_attached(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d", pid);
	return !access(path, F_OK);
}

static int open_of(const char *format, pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), format, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int proc_pagemap_open(pid_t pid)
{
	return open_of("/proc/%d/pagemap", pid);
}

int target_open(pid_t pid)
{
	return open_of(XPAGEMAP_DIR "/%d/pagemap", pid);
}

int source_open(struct source *src, pid_t pid)
{
	int err;

	*src = (struct source){ .pid = pid, .fd = -1, .proc = -1 };
	src->proc = proc_pagemap_open(pid);
	if (src->proc < 0)
		return src->proc;
	if (source_is_proc()) {
		src->fd = proc_pagemap_open(pid);
		return src->fd < 0 ? src->fd : 0;
	}
	err = attach(pid);
	if (err)
		return err;
	src->attached = true;
	src->fd = target_open(pid);
	return src->fd < 0 ? src->fd : 0;
}

int source_close(struct source *src)
{
	if (src->proc >= 0)
		close(src->proc);
	if (src->fd >= 0)
		close(src->fd);
	src->proc = -1;
	src->fd = -1;
	if (!src->attached)
		return 0;
	src->attached = false;
	return detach(src->pid);
}

long pagemap_read(int fd, const void *addr, __u64 *entries, size_t pages)
{
	__u64 first = (unsigned long)addr >> PAGE_SHIFT;
	size_t done = 0;
	ssize_t got;

	while (done < pages) {
		got = pread(fd, entries + done, (pages - done) * PM_ENTRY_BYTES,
			    (first + done) * PM_ENTRY_BYTES);
		if (got < 0)
			return -errno;
		if (got % PM_ENTRY_BYTES)
			return -EPROTO;
		if (!got)
			break;
		done += got / PM_ENTRY_BYTES;
	}
	return done;
}
