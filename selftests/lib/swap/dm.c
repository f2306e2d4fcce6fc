// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/memory/region.h"
#include "lib/swap/dm.h"

#define NAME		"xpagemap-test"
#define SECTORS		(PAGE_BYTES / 512)
#define BUSY_TRIES	100
#define BUSY_PAUSE_US	50000

/* Argument of an ioctl: the header, then a table of one target. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char params[128];
};

static int dm_call(unsigned long call, struct request *r, unsigned int flags)
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	r->head.version[0] = DM_VERSION_MAJOR;
	r->head.data_size = sizeof(*r);
	r->head.data_start = sizeof(r->head);
	r->head.flags = flags;
	snprintf(r->head.name, sizeof(r->head.name), NAME);
	if (ioctl(fd, call, r))
		err = -errno;
	close(fd);
	return err;
}

/* flakey with an up interval of 0: reads always fail, and writes never. */
static int load(const char *below, size_t pages, bool fail)
{
	struct request r = {
		.head.target_count = 1,
		.target.length = pages * SECTORS,
	};

	snprintf(r.target.target_type, sizeof(r.target.target_type),
		 fail ? "flakey" : "linear");
	snprintf(r.params, sizeof(r.params),
		 fail ? "%s 0 0 1 1 error_reads" : "%s 0", below);
	return dm_call(DM_TABLE_LOAD, &r, 0);
}

int dm_fail_reads(const char *below, size_t pages, bool fail)
{
	struct request suspend = {}, resume = {};

	return load(below, pages, fail) ?:
	       dm_call(DM_DEV_SUSPEND, &suspend, DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG) ?:
	       dm_call(DM_DEV_SUSPEND, &resume, 0);
}

int dm_hold(bool hold)
{
	struct request r = {};

	return dm_call(DM_DEV_SUSPEND, &r, hold ? DM_SUSPEND_FLAG | DM_SKIP_LOCKFS_FLAG |
		       DM_NOFLUSH_FLAG : 0);
}

int dm_create(const char *below, size_t pages, char *path, size_t size)
{
	struct request create = {}, resume = {};
	int err;

	err = dm_call(DM_DEV_CREATE, &create, 0);
	if (err)
		return err;
	snprintf(path, size, "/dev/dm-%u", minor(create.head.dev));
	return load(below, pages, false) ?: dm_call(DM_DEV_SUSPEND, &resume, 0);
}

int dm_remove(void)
{
	int tries, err = -EBUSY;

	/* udev may have the device open. */
	for (tries = 0; tries < BUSY_TRIES && err == -EBUSY; tries++) {
		struct request r = {};

		if (tries)
			usleep(BUSY_PAUSE_US);
		err = dm_call(DM_DEV_REMOVE, &r, 0);
	}
	return err == -ENXIO ? 0 : err;
}

int dm_swap_create(struct dm_swap *s, size_t pages)
{
	int err, fd;

	s->pages = pages;
	err = setting_change(&s->cluster, "/proc/sys/vm/page-cluster", "0");
	if (err)
		return err;
	fd = swapdev_loop(pages, s->below);
	if (fd < 0)
		return fd;
	err = dm_create(s->below, pages, s->path, sizeof(s->path));
	/* The device on top keeps the loop device. */
	close(fd);
	return err;
}

int dm_swap_fail_reads(const struct dm_swap *s, bool fail)
{
	return dm_fail_reads(s->below, s->pages, fail);
}

int dm_swap_remove(struct dm_swap *s)
{
	int err = 0, off, restored;

	if (s->path[0])
		err = dm_hold(false) ?: dm_swap_fail_reads(s, false);
	off = swapdev_remove_all() ?: dm_remove();
	restored = setting_restore(&s->cluster);
	return err ?: off ?: restored;
}
