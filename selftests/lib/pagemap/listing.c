// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/memory/region.h"
#include "lib/pagemap/filemap.h"
#include "lib/pagemap/listing.h"
#include "lib/pagemap/source.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define LINE_BYTES	128
#define CHUNK_PAGES	4096

void listing_init(struct listing *ls, __u64 unit)
{
	*ls = (struct listing){ .unit = unit, .room = LINE_BYTES };
	ls->text = calloc(1, ls->room);
}

void listing_free(struct listing *ls)
{
	free(ls->text);
	ls->text = NULL;
}

static int print_run(char *buf, size_t size, const struct run *r)
{
	return snprintf(buf, size, "%llx-%llx %u %llu %llu %s%s%s\n", r->start, r->end,
			r->type, r->offset, r->pages, r->shmem ? "shmem" : "anon",
			*r->place ? " " : "", r->place);
}

void listing_end(struct listing *ls)
{
	if (!ls->run.pages)
		return;
	if (ls->room - ls->len < LINE_BYTES) {
		ls->room *= 2;
		ls->text = realloc(ls->text, ls->room);
	}
	ls->len += print_run(ls->text + ls->len, ls->room - ls->len, &ls->run);
	ls->lines++;
	ls->run.pages = 0;
}

void listing_add(struct listing *ls, __u64 where, __u64 entry)
{
	struct run *r = &ls->run;
	bool shmem = entry & PM_FILE;

	/* There is one swap device: other types are markers. */
	if (!pm_is_swap(entry) || pm_swap_type(entry) || (entry & PM_GUARD))
		return;
	if (!r->pages || r->end != where || r->shmem != shmem ||
	    r->offset + r->pages != pm_swap_offset(entry)) {
		listing_end(ls);
		*r = (struct run){
			.start = where, .offset = pm_swap_offset(entry), .shmem = shmem,
		};
	}
	r->end = where + ls->unit;
	r->pages++;
}

static int add_addresses(struct listing *ls, int fd, __u64 start, __u64 end)
{
	static __u64 entries[CHUNK_PAGES];
	__u64 at, pages;
	long got, i;

	for (at = start; at < end; at += got * PAGE_BYTES) {
		pages = (end - at) / PAGE_BYTES;
		got = pagemap_read(fd, (void *)at, entries,
				   pages < CHUNK_PAGES ? pages : CHUNK_PAGES);
		/* The vsyscall page is behind the end of the address space. */
		if (got <= 0)
			return got;
		for (i = 0; i < got; i++)
			listing_add(ls, at + i * PAGE_BYTES, entries[i]);
	}
	return 0;
}

int listing_of_process(struct listing *ls, pid_t pid, const void *but_from,
		       const void *but_to)
{
	static char maps[1 << 20];
	__u64 start, end, hidden = (unsigned long)but_from;
	int fd = target_open(pid), err = 0;
	char path[64], *line, *rest;
	long len;

	listing_init(ls, PAGE_BYTES);
	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	len = read_text(path, maps, sizeof(maps));
	if (len < 0)
		err = len;
	for (line = strtok_r(maps, "\n", &rest); line && !err; line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "%llx-%llx", &start, &end) != 2)
			err = -EPROTO;
		else if (!but_from || start < hidden || start >= (unsigned long)but_to)
			err = add_addresses(ls, fd, start, end);
	}
	listing_end(ls);
	close(fd);
	return err;
}

int listing_of_file(struct listing *ls, int filemap, size_t pages)
{
	__u64 *entries = calloc(pages, sizeof(*entries));
	long got, i;

	listing_init(ls, 1);
	if (!entries)
		return -ENOMEM;
	got = filemap_read(filemap, 0, entries, pages);
	for (i = 0; i < got; i++)
		listing_add(ls, i, entries[i]);
	listing_end(ls);
	free(entries);
	return got < 0 ? got : 0;
}

static bool is_place(const char *place)
{
	static const char * const places[] = { "disk", "zero", "zswap", "cache", "none" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		if (!strcmp(place, places[i]))
			return true;
	return false;
}

bool listing_parse(const char **text, struct run *r)
{
	char kind[8], again[LINE_BYTES];
	int len;

	if (sscanf(*text, "%llx-%llx %u %llu %llu %7s %7s", &r->start, &r->end, &r->type,
		   &r->offset, &r->pages, kind, r->place) != 7 || !is_place(r->place))
		return false;
	r->shmem = !strcmp(kind, "shmem");
	/* sscanf() accepts more than the format: the line must be as printed. */
	len = print_run(again, sizeof(again), r);
	if (strncmp(*text, again, len))
		return false;
	*text += len;
	return true;
}

/* True if @next goes on where @last ends, in pages and slots. */
static bool continues(const struct run *last, const struct run *next)
{
	return last->pages && next->start == last->end && next->type == last->type &&
	       next->offset == last->offset + last->pages && next->shmem == last->shmem;
}

long listing_check(const char *text, __u64 unit)
{
	struct run r, last = {};
	long lines;

	for (lines = 0; *text; lines++) {
		if (!listing_parse(&text, &r))
			return -1;
		if (!r.pages || r.end - r.start != r.pages * unit || r.start < last.end)
			return -1;
		if (continues(&last, &r) && !strcmp(last.place, r.place))
			return -1;
		last = r;
	}
	return lines;
}

char *listing_joined(const char *text, __u64 unit)
{
	struct listing ls;
	struct run r;

	listing_init(&ls, unit);
	while (*text) {
		if (!listing_parse(&text, &r)) {
			listing_free(&ls);
			return NULL;
		}
		if (continues(&ls.run, &r)) {
			ls.run.end = r.end;
			ls.run.pages += r.pages;
		} else {
			listing_end(&ls);
			ls.run = r;
			ls.run.place[0] = '\0';
		}
	}
	listing_end(&ls);
	return ls.text;
}
