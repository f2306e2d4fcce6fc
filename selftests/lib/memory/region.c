// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/memory/region.h"
#include "lib/pagemap/source.h"
#include "lib/system/cgroup.h"
#include "lib/system/text.h"
#include "xpagemap.h"

int region_map(struct region *r, void *at, size_t pages, int flags, int fd,
	       __u64 first)
{
	void *addr = mmap(at, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, flags,
			  fd, first * PAGE_BYTES);

	if (addr == MAP_FAILED)
		return -errno;
	*r = (struct region){
		.addr = addr,
		.pages = pages,
		.fd = fd,
		.first = first,
		.private = flags & MAP_PRIVATE,
		.id = pattern_new_id(),
	};
	return 0;
}

int region_map_private_anon(struct region *r, size_t pages)
{
	return region_map(r, NULL, pages, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

int region_map_apart(struct region *r, size_t pages)
{
	int err = region_map_private_anon(r, pages + 2);

	if (err)
		return err;
	if (mprotect(r->addr, PAGE_BYTES, PROT_NONE) ||
	    mprotect(region_page(r, pages + 1), PAGE_BYTES, PROT_NONE))
		return -errno;
	r->addr += PAGE_BYTES;
	r->pages = pages;
	return 0;
}

int region_map_filled(struct region *r, size_t pages)
{
	int err = region_map_apart(r, pages);

	if (!err)
		region_fill(r);
	return err;
}

int region_open_file(const void *addr, size_t bytes)
{
	unsigned long start = (unsigned long)addr;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", start,
		 start + bytes);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int region_map_shared_anon(struct region *r, size_t pages)
{
	int err = region_map(r, NULL, pages, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (err)
		return err;
	r->fd = region_open_file(r->addr, pages * PAGE_BYTES);
	return r->fd < 0 ? r->fd : 0;
}

int region_map_memfd(struct region *r, size_t pages)
{
	int fd = memfd_create("xpagemap-test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, pages * PAGE_BYTES))
		return -errno;
	return region_map(r, NULL, pages, MAP_SHARED, fd, 0);
}

int region_map_view(struct region *r, const struct region *of, size_t skip,
		    size_t pages, int flags)
{
	int err = region_map(r, NULL, pages, flags, of->fd, of->first + skip);

	r->id = of->id;
	return err;
}

int region_move(struct region *r)
{
	size_t bytes = r->pages * PAGE_BYTES;
	void *to = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (to == MAP_FAILED ||
	    mremap(r->addr, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		return -errno;
	r->addr = to;
	return 0;
}

struct region region_part(const struct region *r, size_t from, size_t pages)
{
	struct region part = *r;

	part.addr = region_page(r, from);
	part.first += from;
	part.pages = pages;
	part.ids = r->ids ? r->ids + from : NULL;
	return part;
}

void *region_find_aligned(size_t bytes)
{
	unsigned char *addr, *aligned;
	size_t span = bytes + PMD_BYTES;

	addr = mmap(NULL, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (addr == MAP_FAILED)
		return NULL;
	munmap(addr, span);
	aligned = (void *)(((unsigned long)addr + PMD_BYTES - 1) & ~(PMD_BYTES - 1));
	return aligned;
}

void region_unmap(struct region *r)
{
	if (r->addr)
		munmap(r->addr, r->pages * PAGE_BYTES);
	r->addr = NULL;
}

void region_free(struct region *r)
{
	if (r->addr && r->fd >= 0)
		close(r->fd);
	region_unmap(r);
}

__u64 region_id(const struct region *r, size_t i)
{
	return r->ids && r->ids[i] ? r->ids[i] : r->id;
}

void region_fill_page(struct region *r, size_t i)
{
	pattern_fill(region_page(r, i), region_id(r, i), r->first + i);
}

void region_fill(struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		region_fill_page(r, i);
}

size_t region_damaged(const struct region *r)
{
	size_t i, damaged = 0;

	for (i = 0; i < r->pages; i++)
		if (!pattern_matches(region_page(r, i), region_id(r, i), r->first + i))
			damaged++;
	return damaged;
}

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

static int file_cachestat(const struct region *r, size_t from, size_t pages,
			  struct cachestat *cs)
{
	struct cachestat_range range = {
		.off = (r->first + from) * PAGE_BYTES,
		.len = pages * PAGE_BYTES,
	};

	return syscall(SYS_cachestat, r->fd, &range, cs, 0) ? -errno : 0;
}

/* Asks for all of a range, and for its halves if its pages differ. */
static int states_between(const struct region *r, size_t from, size_t pages,
			  unsigned char *states)
{
	struct cachestat cs;
	int err = file_cachestat(r, from, pages, &cs);

	if (err)
		return err;
	if (cs.nr_cache == pages)
		memset(states + from, PAGE_RESIDENT, pages);
	else if (cs.nr_evicted == pages)
		memset(states + from, PAGE_SWAPPED, pages);
	else if (!cs.nr_cache && !cs.nr_evicted)
		memset(states + from, PAGE_ABSENT, pages);
	else if (pages == 1)
		return -EAGAIN;
	else
		return states_between(r, from, pages / 2, states) ?:
		       states_between(r, from + pages / 2, pages - pages / 2, states);
	return 0;
}

int region_state(const struct region *r, size_t i)
{
	struct region one = *r;
	unsigned char state;
	int err;

	one.first += i;
	one.pages = 1;
	err = region_states(&one, &state);
	return err ?: state;
}

int region_states(const struct region *r, unsigned char *states)
{
	if (r->fd >= 0)
		return states_between(r, 0, r->pages, states);
	memset(states, PAGE_ABSENT, r->pages);
	return 0;
}

long region_count(const struct region *r, enum page_state state)
{
	struct cachestat cs;
	int err;

	if (r->fd < 0)
		return state == PAGE_ABSENT ? r->pages : 0;
	err = file_cachestat(r, 0, r->pages, &cs);
	if (err)
		return err;
	switch (state) {
	case PAGE_RESIDENT:
		return cs.nr_cache;
	case PAGE_SWAPPED:
		return cs.nr_evicted;
	default:
		return r->pages - cs.nr_cache - cs.nr_evicted;
	}
}

/* Number of pages in memory, by the file if there is one, else by the page table. */
static long count_resident(const struct region *r, size_t from, size_t pages)
{
	struct cachestat cs;
	__u64 entry;
	long count = 0;
	size_t i;
	int fd, err;

	if (r->fd >= 0 && !r->private) {
		err = file_cachestat(r, from, pages, &cs);
		return err ? err : (long)cs.nr_cache;
	}
	fd = proc_pagemap_open(getpid());
	if (fd < 0)
		return fd;
	for (i = from; i < from + pages; i++) {
		if (pagemap_read(fd, region_page(r, i), &entry, 1) != 1) {
			count = -EIO;
			break;
		}
		count += !!(entry & PM_PRESENT);
	}
	close(fd);
	return count;
}

void region_drain_batches(void)
{
	write_text("/proc/sys/vm/drop_caches", "1");
}

/*
 * Maps pages that reclaim has unmapped but not written, because an earlier write was under
 * way: MADV_PAGEOUT finds pages by page tables only.
 */
static void map_resident(const struct region *r, size_t from, size_t pages)
{
	unsigned char *states = malloc(r->pages);
	size_t i;

	if (states && !r->private && !region_states(r, states))
		for (i = from; i < from + pages; i++)
			if (states[i] == PAGE_RESIDENT)
				madvise(region_page(r, i), PAGE_BYTES,
					MADV_POPULATE_READ);
	free(states);
}

long region_pageout_pages(const struct region *r, size_t from, size_t pages)
{
	long left = -EAGAIN;
	int tries;

	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		if (madvise(region_page(r, from), pages * PAGE_BYTES, MADV_PAGEOUT))
			return -errno;
		left = count_resident(r, from, pages);
		if (left <= 0)
			break;
		/* Pages still in another CPU's batch cannot be reclaimed. */
		if (tries % 10 == 5)
			region_drain_batches();
		usleep(10000);
		map_resident(r, from, pages);
	}
	return left;
}

long region_pageout(const struct region *r)
{
	return region_pageout_pages(r, 0, r->pages);
}

long region_reclaim(const struct region *r, const struct cgroup *cg)
{
	long left = -EAGAIN;
	int tries;

	for (tries = 0; tries < RECLAIM_TRIES; tries++) {
		left = count_resident(r, 0, r->pages);
		if (left <= 0)
			break;
		/* Returns -EAGAIN if it reclaims less than asked for. */
		cgroup_reclaim(cg, r->pages * PAGE_BYTES);
		if (tries % 10 == 5)
			region_drain_batches();
		usleep(10000);
	}
	return left;
}
