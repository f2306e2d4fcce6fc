// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <unistd.h>

#include "lib/memory/mounted.h"
#include "lib/memory/region.h"
#include "lib/swap/swapdev.h"
#include "lib/system/text.h"

#define PRIORITY	100
#define ZRAM		"/sys/block/zram0"
#define ZRAM_DEVICE	"/dev/zram0"
#define LOOP_TRIES	10
#define BUSY_TRIES	100
#define BUSY_PAUSE_US	50000

/* Returns a loop device over @file, or a negative errno. */
static int loop_over(int file, char *path)
{
	struct loop_config config = {
		.fd = file,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int tries, number, loop, err = -EBUSY;

	if (control < 0)
		return -errno;
	/* Another process may take the device between the two calls. */
	for (tries = 0; tries < LOOP_TRIES && err == -EBUSY; tries++) {
		number = ioctl(control, LOOP_CTL_GET_FREE);
		if (number < 0) {
			err = -errno;
			break;
		}
		snprintf(path, SWAPDEV_PATH, "/dev/loop%d", number);
		loop = open(path, O_RDWR | O_CLOEXEC);
		err = loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) ? -errno : 0;
		if (err && loop >= 0)
			close(loop);
	}
	close(control);
	return err ?: loop;
}

int swapdev_loop(size_t pages, char *path)
{
	struct mounted memory = {};
	int file, loop;
	int err = mounted_tmpfs(&memory, "size=1g,noswap");

	if (err)
		return err;
	file = mounted_file(&memory, "swap", pages);
	loop = file < 0 ? file : loop_over(file, path);
	if (file >= 0)
		close(file);
	/* The device keeps the file and the file system. */
	mounted_remove(&memory);
	return loop;
}

int swapdev_zram(size_t pages, char *path)
{
	snprintf(path, SWAPDEV_PATH, ZRAM_DEVICE);
	return write_text(ZRAM "/disksize", "%lu", pages * PAGE_BYTES);
}

/* mkswap(8)'s header: see union swap_header in the kernel's swap.h. */
static int write_header(const char *path, size_t pages)
{
	static unsigned char page[PAGE_BYTES];
	unsigned int info[] = { 1, pages - 1 };	/* version, last page */
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	memcpy(page + 1024, info, sizeof(info));
	memcpy(page + sizeof(page) - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, sizeof(page), 0) != sizeof(page) || fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

int swapdev_on(const char *path, size_t pages)
{
	int err = write_header(path, pages);
	cpu_set_t here;

	if (err)
		return err;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		return -errno;
	return swapon(path, SWAP_FLAG_PREFER | PRIORITY) ? -errno : 0;
}

/* No effect if it was never set up. */
static int zram_reset(void)
{
	int tries, err = -EBUSY;

	if (access(ZRAM, F_OK))
		return 0;
	/* udev may have the device open. */
	for (tries = 0; tries < BUSY_TRIES && err == -EBUSY; tries++) {
		if (tries)
			usleep(BUSY_PAUSE_US);
		err = write_text(ZRAM "/reset", "1");
	}
	return err;
}

int swapdev_restart(void)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");

	return !disk ? -ENODEV : swapoff(disk) || swapon(disk, 0) ? -errno : 0;
}

int swapdev_remove_all(void)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	char text[4096], path[SWAPDEV_PATH], *line, *rest;
	int err = 0;
	long len;

	len = read_text("/proc/swaps", text, sizeof(text));
	if (len < 0)
		return len;
	strtok_r(text, "\n", &rest);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		if (sscanf(line, "%63s", path) != 1 || (disk && !strcmp(path, disk)))
			continue;
		if (swapoff(path))
			err = -errno;
	}
	return err ?: zram_reset();
}
