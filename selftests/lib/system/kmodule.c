// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/system/kmodule.h"

int module_unload(void)
{
	return syscall(SYS_delete_module, "xpagemap", O_NONBLOCK) ? -errno : 0;
}

int module_load(void)
{
	const char *path = getenv("XPAGEMAP_MODULE");
	int fd, err;

	fd = open(path ?: "build/patched/xpagemap.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return err;
}

bool module_is_loaded(void)
{
	return !access("/sys/module/xpagemap", F_OK);
}
