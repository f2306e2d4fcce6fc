// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "lib/pagemap/lookup.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define PAGE_SHIFT	12
#define REGIONS		64
#define CATEGORIES	(PAGE_IS_PRESENT | PAGE_IS_SWAPPED | PAGE_IS_FILE)

long pagemap_bulk_read(int fd, const void *addr, __u64 *entries, size_t pages,
		       __u64 flags)
{
	struct pm_read_arg arg = { .size = sizeof(arg), .flags = flags };
	__u64 start = (unsigned long)addr;
	size_t done;
	long got;

	for (done = 0; done < pages; done += got) {
		arg.start = start + (done << PAGE_SHIFT);
		arg.end = start + (pages << PAGE_SHIFT);
		arg.vec = (unsigned long)(entries + done);
		arg.vec_len = pages - done;
		got = ioctl(fd, PAGEMAP_READ, &arg);
		if (got < 0)
			return -errno;
		if (arg.walk_end != arg.start + ((__u64)got << PAGE_SHIFT))
			return -EPROTO;
		if (!got)
			break;
	}
	return done;
}

long pagemap_sysctl_read(int fd, const void *addr, __u64 *entries, size_t pages)
{
	long err, got;

	err = write_text(PAGEMAP_SYSCTL, "1");
	if (err)
		return err;
	got = pagemap_read(fd, addr, entries, pages);
	err = write_text(PAGEMAP_SYSCTL, "0");
	return err ?: got;
}

long pagemap_scan_pages(int fd, const void *addr, __u16 *categories, size_t pages,
			__u64 flags)
{
	__u64 first = (unsigned long)addr >> PAGE_SHIFT;
	struct page_region regions[REGIONS];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.flags = flags,
		.start = (unsigned long)addr,
		.end = (unsigned long)addr + (pages << PAGE_SHIFT),
		.vec = (unsigned long)regions,
		.vec_len = REGIONS,
		.return_mask = CATEGORIES,
	};
	__u64 page;
	long got, i;

	if (flags & PM_SCAN_SHMEM_CACHE)
		arg.return_mask |= PAGE_IS_CACHED;
	memset(categories, 0, pages * sizeof(*categories));
	for (; arg.start < arg.end; arg.start = arg.walk_end) {
		got = ioctl(fd, PAGEMAP_SCAN, &arg);
		if (got < 0)
			return -errno;
		for (i = 0; i < got; i++)
			for (page = regions[i].start >> PAGE_SHIFT;
			     page < regions[i].end >> PAGE_SHIFT; page++)
				categories[page - first] = regions[i].categories;
		if (arg.walk_end <= arg.start)
			return -EPROTO;
	}
	return pages;
}

int lookup_alloc(struct lookup *l, size_t pages)
{
	l->bytes = pages * (2 * sizeof(__u64) + sizeof(__u16));
	/* Populated now: a fault during the reads would change what they compare. */
	l->map = mmap(NULL, l->bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (l->map == MAP_FAILED) {
		l->map = NULL;
		return -errno;
	}
	l->bulk = l->map;
	l->sysctl = l->bulk + pages;
	l->scan = (__u16 *)(l->sysctl + pages);
	l->pages = 0;
	return 0;
}

void lookup_free(struct lookup *l)
{
	if (l->map)
		munmap(l->map, l->bytes);
}

int lookup_range(struct lookup *l, const struct source *src, const void *addr,
		 size_t pages)
{
	long bulk, sysctl, scan;

	l->pages = 0;
	if (source_is_proc())
		return 0;
	bulk = pagemap_bulk_read(src->proc, addr, l->bulk, pages, PM_READ_SHMEM_SWAP);
	sysctl = pagemap_sysctl_read(src->proc, addr, l->sysctl, pages);
	scan = pagemap_scan_pages(src->proc, addr, l->scan, pages, PM_SCAN_SHMEM_SWAP);
	if (bulk < 0 || sysctl < 0 || scan < 0)
		return bulk < 0 ? bulk : sysctl < 0 ? sysctl : scan;
	if (bulk != sysctl)
		return -EPROTO;
	l->pages = bulk;
	return 0;
}

bool lookup_agrees(const struct lookup *l, size_t i, __u64 entry, char *buf,
		   size_t size)
{
	__u16 categories = 0, scanned;

	if (i >= l->pages)
		return true;
	scanned = l->scan[i];
	/* Only in shmem VMAs, a marker is not PAGE_IS_SWAPPED (see cached.c) */
	if (pm_is_marker(entry) && !scanned)
		scanned = PAGE_IS_SWAPPED;
	categories |= entry & PM_PRESENT ? PAGE_IS_PRESENT : 0;
	categories |= entry & PM_SWAP ? PAGE_IS_SWAPPED : 0;
	categories |= entry & PM_FILE ? PAGE_IS_FILE : 0;
	if (l->bulk[i] == entry && l->sysctl[i] == entry && scanned == categories)
		return true;
	snprintf(buf, size, "PAGEMAP_READ says %#018llx, sysctl %#018llx, scan %#x",
		 (unsigned long long)l->bulk[i], (unsigned long long)l->sysctl[i],
		 l->scan[i]);
	return false;
}
