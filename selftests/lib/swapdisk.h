/* SPDX-License-Identifier: GPL-2.0 */
/* The swap disk as bytes, read past every cache. */
#ifndef SELFTESTS_SWAPDISK_H
#define SELFTESTS_SWAPDISK_H

#include <linux/types.h>
#include <stddef.h>

struct swapdisk {
	int fd;
	__u64 slots;		/* pages on the device */
	unsigned char *window;	/* the last stretch read */
	__u64 first;		/* slot at its beginning */
	size_t valid;		/* slots in it */
};

/* Opens the device that XPAGEMAP_SWAPDEV names. Returns 0 or a negative errno. */
int swapdisk_open(struct swapdisk *disk);
void swapdisk_close(struct swapdisk *disk);

/*
 * The page at swap offset @slot, valid until the next call; NULL with errno
 * where it cannot be read, ERANGE where the device has no such slot.
 */
const void *swapdisk_page(struct swapdisk *disk, __u64 slot);

/* Forgets what was read: the disk is read anew. */
void swapdisk_forget(struct swapdisk *disk);

#endif
