/* SPDX-License-Identifier: GPL-2.0 */
/* A shmem file of large folios of one size. */
#ifndef SELFTESTS_LARGEFILE_H
#define SELFTESTS_LARGEFILE_H

#include <stddef.h>

#include "lib/memory/mounted.h"
#include "lib/memory/region.h"
#include "lib/system/setting.h"

struct largefile {
	int fd;
	size_t folio_pages;
	struct mounted mounted;	/* for folios of a PMD's size */
	struct setting setting;	/* for others */
};

/* Of @pages pages. Returns 0 or a negative errno. */
int largefile_create(struct largefile *f, size_t folio_pages, size_t pages);

/* The same, with a mapping that starts at a multiple of 2 MiB. */
int largefile_map(struct largefile *f, struct region *r, size_t folio_pages, size_t pages);

/* Undoes all but the file. Returns 0 or a negative errno. */
int largefile_remove(struct largefile *f);

/* Number of folios of that size swapped out whole since boot, or a negative errno. */
long long largefile_swapped(const struct largefile *f);

/* MADV_COLLAPSE of 2 MiB, repeated while it fails with EAGAIN. */
int collapse(void *addr);

#endif
