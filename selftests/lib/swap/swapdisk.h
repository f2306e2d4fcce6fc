/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes of swap devices, read past all caches. */
#ifndef SELFTESTS_SWAPDISK_H
#define SELFTESTS_SWAPDISK_H

#include <linux/types.h>
#include <stddef.h>

struct swapdisk {
	int fd;
	__u64 slots;		/* pages on the device */
	size_t span;		/* slots to read at a time; a user may reduce it */
	unsigned char *window;	/* slots read last */
	__u64 first;		/* slot at its beginning */
	size_t valid;		/* slots in it */
};

/* Opens the device that XPAGEMAP_SWAPDEV names. Returns 0 or a negative errno. */
int swapdisk_open(struct swapdisk *disk);
int swapdisk_open_path(struct swapdisk *disk, const char *path);
void swapdisk_close(struct swapdisk *disk);

/*
 * The page at swap offset @slot, valid until the next call; NULL with errno if it cannot be
 * read, ERANGE if the device has no such slot.
 */
const void *swapdisk_page(struct swapdisk *disk, __u64 slot);

/* The next call reads the disk again. */
void swapdisk_forget(struct swapdisk *disk);

#define SWAPS_MAX 4

/* All swap devices in use, by their types. */
struct swaps {
	unsigned int count;
	struct swapdisk disk[SWAPS_MAX];
};

/*
 * /proc/swaps has the devices in the order of their types, which have no gap as long as
 * swapoff is called in the reverse order of swapon.
 */
int swaps_open(struct swaps *swaps);
void swaps_close(struct swaps *swaps);
void swaps_forget(struct swaps *swaps);

/* As swapdisk_page(); ENODEV if there is no device of that type. */
const void *swaps_page(struct swaps *swaps, unsigned int type, __u64 slot);

#endif
