// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mman.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/thp.h"
#include "lib/system/text.h"

int thp_map_empty(struct region *r, size_t pmds)
{
	void *at = region_find_aligned(pmds * PMD_BYTES);

	if (!at)
		return -ENOMEM;
	return region_map(r, at, pmds * PMD_PAGES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			  -1, 0);
}

int thp_map(struct region *r, size_t pmds)
{
	int err = thp_map_empty(r, pmds);

	if (err)
		return err;
	if (madvise(r->addr, pmds * PMD_BYTES, MADV_HUGEPAGE))
		return -errno;
	region_fill(r);
	return madvise(r->addr, pmds * PMD_BYTES, MADV_NOHUGEPAGE) ? -errno : 0;
}

int thp_split(const struct region *r)
{
	return write_text("/sys/kernel/debug/split_huge_pages", "%d,0x%lx,0x%lx", getpid(),
			  (unsigned long)r->addr,
			  (unsigned long)region_page(r, r->pages));
}

int thp_collapse(const struct region *r, size_t from)
{
	void *addr = region_page(r, from);
	int err = 0;

	if (madvise(addr, PMD_BYTES, MADV_HUGEPAGE) || madvise(addr, PMD_BYTES, MADV_COLLAPSE))
		err = -errno;
	if (madvise(addr, PMD_BYTES, MADV_NOHUGEPAGE) && !err)
		err = -errno;
	return err;
}

long thp_count(const struct exclusive *ex, const struct region *r, __u64 shape)
{
	return exclusive_count(ex, r->addr, r->pages, EX_SHAPE, shape);
}
