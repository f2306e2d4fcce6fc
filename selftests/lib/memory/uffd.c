// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/memory/uffd.h"

int uffd_watch(const struct region *r)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_MOVE | UFFD_FEATURE_SIGBUS,
	};
	struct uffdio_register reg = {
		.range = { (unsigned long)r->addr, r->pages * PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	int err;

	if (fd < 0)
		return -errno;
	if (!ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

long uffd_move(int fd, void *to, const void *from, size_t pages)
{
	size_t done = 0;
	int err = 0;

	while (done < pages && !err) {
		struct uffdio_move move = {
			.dst = (unsigned long)to + done * PAGE_BYTES,
			.src = (unsigned long)from + done * PAGE_BYTES,
			.len = (pages - done) * PAGE_BYTES,
		};

		err = ioctl(fd, UFFDIO_MOVE, &move) ? -errno : 0;
		if (move.move > 0)
			done += move.move / PAGE_BYTES;
		if (err == -EAGAIN)
			err = 0;
	}
	return done ? (long)done : err;
}

long uffd_copy(int fd, void *to, const void *from, size_t pages)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)to,
		.src = (unsigned long)from,
		.len = pages * PAGE_BYTES,
	};

	if (ioctl(fd, UFFDIO_COPY, &copy) && copy.copy <= 0)
		return -errno;
	return copy.copy / PAGE_BYTES;
}
