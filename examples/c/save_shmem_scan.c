// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of shared memory that a checkpoint must save, by ioctl(SHMEM_SCAN): one call for up to
 * REGIONS runs, no mapping. Pages that read as zeroes are left out.
 */
#include <errno.h>

#include "abi.h"
#include "runs.h"

#define REGIONS	1024

int main(int argc, char **argv)
{
	static struct shmem_region regions[REGIONS];
	struct shmem_scan_arg arg = {
		.size = sizeof(arg),
		.vec = (unsigned long)regions,
		.vec_len = REGIONS,
		/* Cached and not dirty is zero: it was read, or allocated, and never written. */
		.category_mask = SHMEM_IS_DIRTY | SHMEM_IS_SWAPPED,
	};
	struct runs runs = { 0 };
	__u64 size;
	int fd, count, i;

	fd = open_file(argc, argv, &size);
	arg.end = size;
	for (; arg.start < arg.end; arg.start = arg.walk_end) {
		count = ioctl(fd, SHMEM_SCAN, &arg);
		if (count < 0 && errno == ENOTTY)
			errx(UNSUPPORTED, "this kernel has no SHMEM_SCAN for %s", argv[1]);
		if (count < 0)
			err(1, "SHMEM_SCAN");
		for (i = 0; i < count; i++)
			if (!(regions[i].categories & SHMEM_IS_ZERO))
				runs_add(&runs, regions[i].start, regions[i].end);
	}
	return runs_done(&runs);
}
