// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/pagemap/swapmap.h"
#include "lib/system/text.h"
#include "xpagemap.h"

static int open_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int swapmap_open(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/swapmap", pid);
	return open_path(path);
}

int swapmap_open_file(const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/files/%s/swapmap", id);
	return open_path(path);
}

char *swapmap_read(pid_t pid, size_t step, size_t *len)
{
	int fd = swapmap_open(pid);
	char *text;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	text = read_to_end(fd, step, len);
	close(fd);
	return text;
}

int swapmap_visit(int fd, __u64 start, __u64 unit, size_t pages,
		  void (*visit)(size_t page, const struct run *run, __u64 of_run, void *arg),
		  void *arg)
{
	const char *text;
	char *all;
	struct run run;
	int err = 0;
	size_t len;
	__u64 i, at;

	if (fd < 0)
		return fd;
	all = read_to_end(fd, 65536, &len);
	if (!all)
		err = -errno;
	close(fd);
	text = all;
	while (!err && *text) {
		if (!listing_parse(&text, &run)) {
			err = -EPROTO;
			break;
		}
		for (i = 0; i < run.pages; i++) {
			at = run.start + i * unit;
			if (at >= start && at < start + pages * unit)
				visit((at - start) / unit, &run, i, arg);
		}
	}
	free(all);
	return err;
}
