/* SPDX-License-Identifier: GPL-2.0 */
/* WHERE of swapmap: the location of the bytes of pages in swap. */
#ifndef SELFTESTS_PLACE_H
#define SELFTESTS_PLACE_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/memory/region.h"
#include "lib/swap/swapdisk.h"

enum place_kind {
	PLACE_ABSENT,		/* in no line */
	PLACE_DISK, PLACE_ZERO, PLACE_ZSWAP, PLACE_CACHE, PLACE_NONE,
	PLACE_KINDS,
};

struct swap_place {
	enum place_kind kind;
	unsigned int type;
	__u64 offset;
};

/*
 * Fill in the place of each page of a region, by the swapmap of a process or, for a file
 * that is attached, of the file. Return 0 or a negative errno, -EPROTO for malformed text.
 */
int places_of(const struct region *r, pid_t pid, struct swap_place *places);
int places_of_file(const struct region *r, const char *id, struct swap_place *places);

size_t places_count(const struct swap_place *places, size_t pages, enum place_kind kind);
void places_print(const struct swap_place *places, size_t pages);

/* Number of pages at PLACE_DISK whose bytes the device has in their slots. */
long places_on_disk(const struct region *r, const struct swap_place *places);

#endif
