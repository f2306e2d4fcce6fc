// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/fuzz/fuzz.h"
#include "lib/fuzz/input.h"
#include "lib/fuzz/ioctls.h"
#include "lib/memory/region.h"
#include "lib/pagemap/source.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define UNTOUCHED 0xa5

/* A file of an attached target or file, by its name; false if there is none. */
static bool some_path(const struct fuzz *f, const char *name, bool of_file, char *path,
		      size_t size)
{
	size_t i = input_below(of_file ? FUZZ_FILES : FUZZ_TARGETS);

	if (of_file)
		snprintf(path, size, XPAGEMAP_DIR "/files/%s/%s", f->id[i], name);
	else
		snprintf(path, size, XPAGEMAP_DIR "/%d/%s", f->target[i].pid, name);
	return of_file ? f->file_attached[i] : f->attached[i];
}

/* pread() into the end of the buffer, or where no access is possible. */
static long read_at(struct fuzz *f, const char *path, off_t offset, size_t len, bool bad)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	snprintf(f->what, sizeof(f->what), "%s: %zu bytes from %#llx%s", path, len,
		 (unsigned long long)offset, bad ? ", to a bad buffer" : "");
	if (fd < 0)
		return f->result = -errno;
	memset(f->buffer, UNTOUCHED, FUZZ_BUFFER);
	f->result = pread(fd, bad ? f->bad : f->buffer, len, offset);
	if (f->result < 0)
		f->result = -errno;
	close(fd);
	return f->result;
}

static const char *check_untouched(const struct fuzz *f)
{
	size_t i;

	for (i = f->result < 0 ? 0 : f->result; i < FUZZ_BUFFER; i++)
		if (f->buffer[i] != UNTOUCHED)
			return f->result < 0 ? NULL : "read: bytes behind the end were written";
	return NULL;
}

static const char *check_entries(const struct fuzz *f, bool exclusive)
{
	const __u64 *entry = (const __u64 *)f->buffer;
	long i;

	for (i = 0; i < f->result / PM_ENTRY_BYTES; i++) {
		if ((entry[i] & (PM_PRESENT | PM_SWAP)) == (PM_PRESENT | PM_SWAP))
			return "an entry is present and in swap";
		if (!exclusive)
			continue;
		if (entry[i] & EX_UNUSED)
			return "exclusive: an unused bit is set";
		if ((entry[i] & EX_FILE) && (entry[i] & ~(EX_PRESENT | EX_FILE | EX_WRITABLE |
							  EX_LARGE | EX_PMD)))
			return "exclusive: a bit that pages of files have not";
		if ((entry[i] & EX_KSM) && (entry[i] & EX_EXCLUSIVE))
			return "exclusive: a KSM page";
	}
	return NULL;
}

const char *fuzz_entries(struct fuzz *f)
{
	static const char *const names[] = { "pagemap", "exclusive", "filemap" };
	size_t which = input_below(ARRAY_SIZE(names)), len = input_below(FUZZ_BUFFER + 1);
	bool bad = input_one_in(12);
	char path[160];
	off_t offset;

	if (!some_path(f, names[which], which == 2, path, sizeof(path)))
		return NULL;
	offset = input_below(which == 2 ? FILE_PAGES : ARENA_PAGES) * PM_ENTRY_BYTES;
	if (which != 2)
		offset += (unsigned long)f->arena->addr / PAGE_BYTES * PM_ENTRY_BYTES;
	if (!input_one_in(12))
		len &= -PM_ENTRY_BYTES;
	if (input_one_in(12))
		offset = input_edge();
	read_at(f, path, offset, len, bad);
	if (offset < 0 || offset % PM_ENTRY_BYTES || len % PM_ENTRY_BYTES)
		return f->result == -EINVAL ? NULL : "malformed, and not EINVAL";
	if (f->result == -EINVAL && (__u64)offset + len > (__u64)LLONG_MAX)
		return NULL;
	if (bad)
		return !f->result || f->result == -EFAULT ? NULL : "a bad buffer, and no EFAULT";
	if (f->result < 0 || (size_t)f->result > len || f->result % PM_ENTRY_BYTES)
		return "entries: neither whole entries nor their end";
	return check_entries(f, which == 1) ?: check_untouched(f);
}

const char *fuzz_text(struct fuzz *f)
{
	static const char *const names[] = { "swapmap", "summary", "violations", "trace", "events",
					     "kept", "swapmap", "summary" };
	size_t which = input_below(ARRAY_SIZE(names) + 2), len = input_below(4096);
	off_t offset = input_one_in(2) ? 0 : input_below(20000);
	bool bad = input_one_in(12);
	char path[160];
	long i;

	if (which >= ARRAY_SIZE(names))
		snprintf(path, sizeof(path), "%s",
			 which == ARRAY_SIZE(names) ? XPAGEMAP_SHMEM : XPAGEMAP_STATS);
	else if (!some_path(f, names[which], which >= 6, path, sizeof(path)))
		return NULL;
	if (input_one_in(20) && which != 4)
		offset = input_edge();
	read_at(f, path, offset, len, bad);
	if (offset < 0)
		return f->result == -EINVAL ? NULL : "malformed, and not EINVAL";
	if (f->result == -EINVAL && (__u64)offset + len > (__u64)LLONG_MAX)
		return NULL;
	if (bad)
		return !f->result || f->result == -EFAULT ? NULL : "a bad buffer, and no EFAULT";
	if (f->result < 0 || (size_t)f->result > len)
		return "text: errno, or more than asked for";
	for (i = 0; i < f->result; i++)
		if (f->buffer[i] != '\n' && (f->buffer[i] < ' ' || f->buffer[i] > '~'))
			return "text: a byte that is none";
	return check_untouched(f);
}

/* Runs in order, each of as many pages as it says, of a known kind, at a known place. */
static const char *check_runs(char *text, unsigned long unit)
{
	unsigned long start, end, last = 0, offset, pages;
	char kind[16], where[16], *save, *line;
	unsigned int type;
	int used;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%lx-%lx %u %lu %lu %15s %15s%n", &start, &end, &type, &offset,
			   &pages, kind, where, &used) != 7 || line[used])
			return "swapmap: a line not as documented";
		if (start < last || end <= start || (end - start) != pages * unit || !offset)
			return "swapmap: a run out of order, or of another length";
		if (strcmp(kind, "shmem") && strcmp(kind, "anon"))
			return "swapmap: KIND";
		if (!strstr(" disk zero zswap cache none ", where))
			return "swapmap: WHERE";
		last = end;
	}
	return NULL;
}

const char *fuzz_swapmap(struct fuzz *f)
{
	bool of_file = input_one_in(2);
	const char *broken;
	char path[160], *text;
	size_t len;
	int fd;

	if (!some_path(f, "swapmap", of_file, path, sizeof(path)))
		return NULL;
	snprintf(f->what, sizeof(f->what), "%s", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "swapmap: cannot be opened";
	text = read_to_end(fd, 1 + input_below(5000), &len);
	f->result = text ? (long)len : -errno;
	close(fd);
	if (!text)
		return "swapmap: cannot be read";
	broken = check_runs(text, of_file ? 1 : PAGE_BYTES);
	free(text);
	return broken;
}

const char *fuzz_ioctl(struct fuzz *f)
{
	const char *broken;
	size_t which = input_below(3);
	int fd;

	snprintf(f->what, sizeof(f->what), "ioctl");
	if (which == 2)
		return fuzz_shmem_scan(f->arena, f->file[input_below(FUZZ_FILES)], &f->result);
	fd = proc_pagemap_open(f->target[input_below(FUZZ_TARGETS)].pid);
	if (fd < 0)
		return "/proc/PID/pagemap: cannot be opened";
	broken = which ? fuzz_pagemap_read(f->arena, fd, &f->result) :
			 fuzz_pagemap_scan(f->arena, fd, &f->result);
	close(fd);
	return broken;
}
