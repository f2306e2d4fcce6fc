// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/pagemap/filemap.h"
#include "lib/pagemap/source.h"
#include "lib/swap/swapdisk.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define WRITEBACK_TRIES		50
#define WRITEBACK_PAUSE_US	100000

int attach_fd(int fd)
{
	return write_text(XPAGEMAP_ATTACH_FD, "%d\n", fd);
}

int detach_fd(const char *id)
{
	return write_text(XPAGEMAP_DETACH_FD, "%s\n", id);
}

void file_id(int fd, char *id, size_t size)
{
	struct stat st = {};

	fstat(fd, &st);
	snprintf(id, size, "%u:%u:%lu", major(st.st_dev), minor(st.st_dev),
		 (unsigned long)st.st_ino);
}

int filemap_open(const char *id)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/files/%s/filemap", id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

long filemap_read(int fd, size_t first, __u64 *entries, size_t pages)
{
	return pagemap_read(fd, (void *)(first * PAGE_BYTES), entries, pages);
}

/* The frame mapped at @addr by /proc/PID/pagemap, or 0. */
static __u64 mapped_frame(int proc, const void *addr)
{
	__u64 entry;

	if (pagemap_read(proc, addr, &entry, 1) != 1 || !(entry & PM_PRESENT))
		return 0;
	return entry & PM_FRAME;
}

static bool on_disk(struct swaps *swaps, const struct region *r, size_t i, __u64 entry)
{
	const void *bytes;
	int tries;

	/* The write of the page may be under way. */
	for (tries = 0; tries < WRITEBACK_TRIES; tries++) {
		bytes = swaps_page(swaps, pm_swap_type(entry), pm_swap_offset(entry));
		if (bytes && pattern_matches(bytes, region_id(r, i), r->first + i))
			return true;
		swaps_forget(swaps);
		usleep(WRITEBACK_PAUSE_US);
	}
	return false;
}

size_t filemap_wrong(const struct region *r, const __u64 *entries)
{
	int proc = proc_pagemap_open(getpid());
	unsigned char *states = calloc(r->pages, 1);
	size_t wrong = 0, i;
	struct swaps swaps;
	__u64 frame;
	bool right;

	if (proc < 0 || !states || region_states(r, states) || swaps_open(&swaps))
		return r->pages;
	for (i = 0; i < r->pages; i++) {
		frame = 0;
		switch (states[i]) {
		case PAGE_ABSENT:
			right = !entries[i];
			break;
		case PAGE_RESIDENT:
			frame = mapped_frame(proc, region_page(r, i));
			right = (entries[i] & ~PM_FRAME) == (PM_PRESENT | PM_FILE) &&
				(!frame || frame == (entries[i] & PM_FRAME));
			break;
		default:
			right = (entries[i] & ~PM_FRAME) == (PM_SWAP | PM_FILE) &&
				on_disk(&swaps, r, i, entries[i]);
		}
		if (!right && !wrong++)
			ksft_print_msg("page %zu, state %d: entry %#llx, frame %#llx\n",
				       i, states[i], (unsigned long long)entries[i],
				       (unsigned long long)frame);
	}
	swaps_close(&swaps);
	free(states);
	close(proc);
	return wrong;
}

long filemap_survey(const struct region *r)
{
	__u64 *entries = calloc(r->pages, sizeof(*entries));
	char id[64];
	long ret;
	int fd;

	if (!entries)
		return -ENOMEM;
	file_id(r->fd, id, sizeof(id));
	ret = attach_fd(r->fd);
	if (!ret) {
		fd = filemap_open(id);
		ret = fd < 0 ? fd : filemap_read(fd, r->first, entries, r->pages);
		if (fd >= 0)
			close(fd);
		if (ret >= 0)
			ret = (size_t)ret == r->pages ? (long)filemap_wrong(r, entries) : -EIO;
		if (detach_fd(id) && ret >= 0)
			ret = -EBUSY;
	}
	free(entries);
	return ret;
}
