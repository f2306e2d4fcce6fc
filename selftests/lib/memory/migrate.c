// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/exclusive/frames.h"
#include "lib/memory/migrate.h"
#include "lib/memory/region.h"
#include "lib/system/text.h"

int migrate_page(const struct exclusive *ex, void *addr)
{
	__u64 frame = frame_at(ex, addr);

	if (!frame || frame == EX_ERROR)
		return -ENOENT;
	region_drain_batches();
	if (madvise(addr, PAGE_BYTES, MADV_SOFT_OFFLINE))
		return -errno;
	return write_text("/sys/kernel/debug/hwpoison/unpoison-pfn", "%llu",
			  (unsigned long long)frame);
}

int migrate_region(const struct exclusive *ex, const struct region *r)
{
	size_t i;
	int err = 0;

	for (i = 0; i < r->pages && !err; i++)
		err = migrate_page(ex, region_page(r, i));
	return err;
}

int node_bind(unsigned int node)
{
	unsigned long mask = 1UL << node;

	return syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 8 * sizeof(mask)) ? -errno : 0;
}

int node_unbind(void)
{
	return syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0) ? -errno : 0;
}
