// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/exclusive/breaker.h"
#include "lib/system/text.h"

#define BREAKER "/sys/kernel/debug/xpagemap_breaker/"

int breaker_load(void)
{
	const char *module = getenv("XPAGEMAP_MODULE");
	char dir[PATH_MAX], path[PATH_MAX + 16];
	int fd, err;

	snprintf(dir, sizeof(dir), "%s", module ?: "build/patched/xpagemap.ko");
	snprintf(path, sizeof(path), "%s/breaker.ko", dirname(dir));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

int breaker_unload(void)
{
	return syscall(SYS_delete_module, "breaker", O_NONBLOCK) ? -errno : 0;
}

int breaker_set(pid_t pid, const void *addr, bool exclusive)
{
	return write_text(exclusive ? BREAKER "set" : BREAKER "clear", "%d %lx", pid,
			  (unsigned long)addr);
}
