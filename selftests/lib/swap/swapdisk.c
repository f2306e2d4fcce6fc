// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/swap/swapdisk.h"
#include "lib/system/text.h"

#define SLOT_BYTES	PATTERN_BYTES
#define WINDOW_SLOTS	128

int swapdisk_open(struct swapdisk *disk)
{
	const char *path = getenv("XPAGEMAP_SWAPDEV");

	*disk = (struct swapdisk){ .fd = -1 };
	return path && *path ? swapdisk_open_path(disk, path) : -ENODEV;
}

int swapdisk_open_path(struct swapdisk *disk, const char *path)
{
	off_t bytes;

	*disk = (struct swapdisk){ .fd = -1 };
	disk->fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (disk->fd < 0)
		return -errno;
	bytes = lseek(disk->fd, 0, SEEK_END);
	disk->window = mmap(NULL, WINDOW_SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (bytes < 0 || disk->window == MAP_FAILED) {
		int err = -errno;

		close(disk->fd);
		disk->fd = -1;
		return err;
	}
	disk->slots = bytes / SLOT_BYTES;
	disk->span = WINDOW_SLOTS;
	return 0;
}

void swapdisk_close(struct swapdisk *disk)
{
	if (disk->fd < 0)
		return;
	munmap(disk->window, WINDOW_SLOTS * SLOT_BYTES);
	close(disk->fd);
	disk->fd = -1;
}

void swapdisk_forget(struct swapdisk *disk)
{
	disk->valid = 0;
}

const void *swapdisk_page(struct swapdisk *disk, __u64 slot)
{
	ssize_t got;

	if (slot >= disk->slots) {
		errno = ERANGE;
		return NULL;
	}
	if (slot < disk->first || slot >= disk->first + disk->valid) {
		disk->valid = 0;
		disk->first = slot - slot % disk->span;
		got = pread(disk->fd, disk->window, disk->span * SLOT_BYTES,
			    disk->first * SLOT_BYTES);
		if (got < 0)
			return NULL;
		disk->valid = got / SLOT_BYTES;
		if (slot >= disk->first + disk->valid) {
			errno = EIO;
			return NULL;
		}
	}
	return disk->window + (slot - disk->first) * SLOT_BYTES;
}

int swaps_open(struct swaps *swaps)
{
	char text[4096], path[128], *line, *rest;
	int err = 0;
	long len;

	*swaps = (struct swaps){};
	len = read_text("/proc/swaps", text, sizeof(text));
	if (len < 0)
		return len;
	/* The first line is a header. */
	strtok_r(text, "\n", &rest);
	while (!err && (line = strtok_r(NULL, "\n", &rest))) {
		if (swaps->count == SWAPS_MAX || sscanf(line, "%127s", path) != 1)
			err = -E2BIG;
		else
			err = swapdisk_open_path(&swaps->disk[swaps->count], path);
		swaps->count += !err;
	}
	if (err)
		swaps_close(swaps);
	return err;
}

void swaps_close(struct swaps *swaps)
{
	while (swaps->count)
		swapdisk_close(&swaps->disk[--swaps->count]);
}

void swaps_forget(struct swaps *swaps)
{
	unsigned int type;

	for (type = 0; type < swaps->count; type++)
		swapdisk_forget(&swaps->disk[type]);
}

const void *swaps_page(struct swaps *swaps, unsigned int type, __u64 slot)
{
	if (type < swaps->count)
		return swapdisk_page(&swaps->disk[type], slot);
	errno = ENODEV;
	return NULL;
}
