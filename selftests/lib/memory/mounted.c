// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/memory/mounted.h"
#include "lib/memory/region.h"

int mounted_tmpfs(struct mounted *m, const char *options)
{
	int err;

	snprintf(m->dir, sizeof(m->dir), "/run/xpagemap-tmpfs-XXXXXX");
	if (!mkdtemp(m->dir)) {
		m->dir[0] = '\0';
		return -errno;
	}
	if (!mount("xpagemap-test", m->dir, "tmpfs", 0, options))
		return 0;
	err = -errno;
	rmdir(m->dir);
	m->dir[0] = '\0';
	return err;
}

int mounted_remove(struct mounted *m)
{
	int err = 0;

	if (!m->dir[0])
		return 0;
	if (umount2(m->dir, MNT_DETACH) || rmdir(m->dir))
		err = -errno;
	m->dir[0] = '\0';
	return err;
}

int mounted_file(const struct mounted *m, const char *name, size_t pages)
{
	char path[128];
	int fd, err;

	snprintf(path, sizeof(path), "%s/%s", m->dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, pages * PAGE_BYTES))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
