/* SPDX-License-Identifier: GPL-2.0 */
/* The interfaces that linux/fs.h has on a patched kernel, for older headers. */
#ifndef EXAMPLES_ABI_H
#define EXAMPLES_ABI_H

#include <linux/fs.h>
#include <linux/types.h>
#include <sys/ioctl.h>

#ifndef SHMEM_SCAN
#define SHMEM_SCAN		_IOWR('f', 48, struct shmem_scan_arg)
#define SHMEM_IS_CACHED		0x1	/* in the page cache */
#define SHMEM_IS_SWAPPED	0x2	/* in swap */
#define SHMEM_IS_DIRTY		0x4	/* cached, and may have data */
#define SHMEM_IS_ZERO		0x8	/* in swap, and all zero */

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

/* PAGEMAP_SCAN itself is in Linux since 6.7. */
#ifndef PAGEMAP_SCAN
#define PAGEMAP_SCAN		_IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_FILE		0x4
#define PAGE_IS_PRESENT		0x8
#define PAGE_IS_SWAPPED		0x10

struct page_region {
	__u64 start;
	__u64 end;
	__u64 categories;
};

struct pm_scan_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 walk_end;
	__u64 vec;
	__u64 vec_len;
	__u64 max_pages;
	__u64 category_inverted;
	__u64 category_mask;
	__u64 category_anyof_mask;
	__u64 return_mask;
};
#endif

#ifndef PM_SCAN_SHMEM_SWAP
#define PM_SCAN_SHMEM_SWAP	0x4	/* look for pages in swap that are not mapped */
#endif
#ifndef PM_SCAN_SHMEM_CACHE
#define PM_SCAN_SHMEM_CACHE	0x8	/* and for those in the page cache */
#define PAGE_IS_CACHED		0x400
#endif

#endif
