/* SPDX-License-Identifier: GPL-2.0 */
/* ioctl(SHMEM_SCAN): the categories and swap slots of a file's pages. */
#ifndef SELFTESTS_SHMEMSCAN_H
#define SELFTESTS_SHMEMSCAN_H

#include <linux/fs.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "xpagemap.h"

/* Headers of a kernel without the patches lack it. */
#ifndef SHMEM_SCAN
#define SHMEM_SCAN		_IOWR('f', 48, struct shmem_scan_arg)
#define SHMEM_SCAN_LOCATION	PM_BIT(0)
#define SHMEM_IS_CACHED		PM_BIT(0)
#define SHMEM_IS_SWAPPED	PM_BIT(1)
#define SHMEM_IS_DIRTY		PM_BIT(2)
#define SHMEM_IS_ZERO		PM_BIT(3)

struct shmem_region {
	__u64 start;
	__u64 end;
	__u64 categories;
	__u64 location;
};

struct shmem_scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 vec;
	__u64 vec_len;
	__u64 category_mask;
	__u64 walk_end;
	__u64 pages;
};
#endif

struct shmemscan_page {
	__u64 categories;	/* 0: in no category */
	__u64 location;		/* as the bits 0-54 of a pagemap entry in swap */
};

/*
 * Scans pages @first to @first + @pages - 1 of a file, with at most @room regions a call.
 * Returns 0, the negative errno of a call, or -EPROTO if its result breaks the interface.
 */
int shmemscan_pages(int fd, size_t first, size_t pages, size_t room,
		    struct shmemscan_page *out);

/*
 * The same while the pages change. The kernel releases its lock between two parts of a call,
 * so that a page that has moved meanwhile may begin a region like the one before.
 */
int shmemscan_moving_pages(int fd, size_t first, size_t pages, size_t room,
			   struct shmemscan_page *out);

/* True if a page in these categories can have any byte that is not zero. */
static inline bool shmemscan_has_data(__u64 categories)
{
	return (categories & SHMEM_IS_DIRTY) ||
	       ((categories & SHMEM_IS_SWAPPED) && !(categories & SHMEM_IS_ZERO));
}

/* True if a page can be in all of these categories and in no other. */
static inline bool shmemscan_is_possible(__u64 categories)
{
	switch (categories) {
	case 0:
	case SHMEM_IS_CACHED:
	case SHMEM_IS_CACHED | SHMEM_IS_DIRTY:
	case SHMEM_IS_SWAPPED:
	case SHMEM_IS_SWAPPED | SHMEM_IS_ZERO:
		return true;
	default:
		return false;
	}
}

#endif
