// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <gup_test.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/memory/pin.h"
#include "lib/memory/region.h"

int pin_take(struct pin *pin, const void *addr, size_t pages, unsigned int flags)
{
	struct pin_longterm_test args = {
		.addr = (unsigned long)addr,
		.size = pages * PAGE_BYTES,
	};
	int err;

	if (flags & PIN_WRITE)
		args.flags |= PIN_LONGTERM_TEST_FLAG_USE_WRITE;
	if (flags & PIN_FAST)
		args.flags |= PIN_LONGTERM_TEST_FLAG_USE_FAST;
	pin->taken = false;
	pin->fd = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);
	if (pin->fd < 0)
		return -errno;
	if (!ioctl(pin->fd, PIN_LONGTERM_TEST_START, &args)) {
		pin->taken = true;
		return 0;
	}
	err = -errno;
	close(pin->fd);
	return err;
}

int pin_read(const struct pin *pin, void *buf)
{
	__u64 to = (unsigned long)buf;

	return ioctl(pin->fd, PIN_LONGTERM_TEST_READ, &to) ? -errno : 0;
}

int pin_release(struct pin *pin)
{
	int err;

	if (!pin->taken)
		return 0;
	pin->taken = false;
	err = ioctl(pin->fd, PIN_LONGTERM_TEST_STOP) ? -errno : 0;
	close(pin->fd);
	return err;
}
