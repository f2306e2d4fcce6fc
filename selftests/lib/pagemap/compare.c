// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/pagemap/compare.h"
#include "lib/pagemap/lookup.h"
#include "lib/system/text.h"

#define TRIES		20
#define CHUNK_PAGES	4096UL

static __u64 *entries_alloc(size_t count)
{
	/* Populated now: a fault in between would be a change to compare. */
	void *p = mmap(NULL, count * sizeof(__u64), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static long compare_chunk(const struct source *src, const unsigned char *addr,
			  size_t pages, __u64 *buf, struct lookup *lookup)
{
	__u64 *before = buf, *got = buf + CHUNK_PAGES, *after = buf + 2 * CHUNK_PAGES;
	long had, have, had_too, differing = 0, moving = 0;
	char how[128];
	long i;
	int err;

	had = pagemap_read(src->proc, addr, before, pages);
	have = pagemap_read(src->fd, addr, got, pages);
	err = lookup_range(lookup, src, addr, pages);
	if (err)
		return err;
	had_too = pagemap_read(src->proc, addr, after, pages);
	if (had < 0 || have < 0 || had_too < 0)
		return had < 0 ? had : have < 0 ? have : had_too;
	if (had != have) {
		ksft_print_msg("%p: %ld entries, /proc has %ld\n", addr, have, had);
		return pages;
	}
	for (i = 0; i < have; i++) {
		if (before[i] != after[i]) {
			moving++;
		} else if (got[i] != before[i]) {
			if (!differing++)
				ksft_print_msg("%p: %#018llx, /proc says %#018llx\n",
					       addr + i * 4096, got[i], before[i]);
		} else if (!lookup_agrees(lookup, i, got[i], how, sizeof(how))) {
			if (!differing++)
				ksft_print_msg("%p: %#018llx, but %s\n",
					       addr + i * 4096, got[i], how);
		}
	}
	if (differing)
		return differing;
	return moving ? -EBUSY : 0;
}

long compare_range(const struct source *src, const void *addr, size_t pages)
{
	__u64 *buf = entries_alloc(3 * CHUNK_PAGES);
	long differing = 0, ret;
	struct lookup lookup;
	size_t done, len;
	int tries;

	if (!buf || lookup_alloc(&lookup, CHUNK_PAGES))
		return -ENOMEM;
	for (done = 0; done < pages; done += len) {
		len = pages - done < CHUNK_PAGES ? pages - done : CHUNK_PAGES;
		ret = -EBUSY;
		for (tries = 0; ret == -EBUSY && tries < TRIES; tries++) {
			if (tries)
				usleep(20000);
			ret = compare_chunk(src, (const unsigned char *)addr +
					    done * 4096, len, buf, &lookup);
		}
		if (ret < 0) {
			differing = ret;
			break;
		}
		differing += ret;
	}
	lookup_free(&lookup);
	munmap(buf, 3 * CHUNK_PAGES * sizeof(*buf));
	return differing;
}

long count_entries(int fd, const void *addr, size_t pages, __u64 bits)
{
	__u64 *entries = entries_alloc(pages);
	long got, i, count = 0;

	if (!entries)
		return -ENOMEM;
	got = pagemap_read(fd, addr, entries, pages);
	for (i = 0; i < got; i++)
		count += (entries[i] & bits) == bits;
	munmap(entries, pages * sizeof(*entries));
	return got < 0 ? got : count;
}
