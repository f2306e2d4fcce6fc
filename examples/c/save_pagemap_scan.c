// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of shared memory that a checkpoint must save, by ioctl(PAGEMAP_SCAN) of a mapping. The
 * flags add the pages that the mapping has no page table entry for: here that is all of
 * them, since the mapping is new. What is in no category reads as zeroes.
 */
#include <errno.h>
#include <sys/mman.h>

#include "abi.h"
#include "runs.h"

#define REGIONS	1024

int main(int argc, char **argv)
{
	static struct page_region regions[REGIONS];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = PM_SCAN_SHMEM_SWAP | PM_SCAN_SHMEM_CACHE,
		.vec = (unsigned long)regions,
		.vec_len = REGIONS,
		.category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_CACHED,
		/* One bit that all of them have, so that neighbours are one region. */
		.return_mask = PAGE_IS_FILE,
	};
	struct runs runs = { 0 };
	int fd, pagemap, count, i;
	__u64 size, base;
	void *map;

	fd = open_file(argc, argv, &size);
	if (!size)
		return runs_done(&runs);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (map == MAP_FAILED || pagemap < 0)
		err(1, "%s", argv[1]);
	base = (unsigned long)map;
	arg.end = base + size;
	for (arg.start = base; arg.start < arg.end; arg.start = arg.walk_end) {
		count = ioctl(pagemap, PAGEMAP_SCAN, &arg);
		if (count < 0 && (errno == EINVAL || errno == ENOTTY))
			errx(UNSUPPORTED, "this kernel has no %s",
			     "PM_SCAN_SHMEM_SWAP or no PM_SCAN_SHMEM_CACHE");
		if (count < 0)
			err(1, "PAGEMAP_SCAN");
		for (i = 0; i < count; i++)
			runs_add(&runs, regions[i].start - base, regions[i].end - base);
	}
	return runs_done(&runs);
}
