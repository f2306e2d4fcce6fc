// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/pagemap/page.h"
#include "lib/system/text.h"
#include "xpagemap.h"

int page_open(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/page", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int page_choose_text(int fd, const char *text)
{
	ssize_t len = strlen(text);
	ssize_t wrote = write(fd, text, len);

	if (wrote < 0)
		return -errno;
	return wrote == len ? 0 : -EIO;
}

int page_choose(int fd, const void *addr)
{
	char text[32];

	snprintf(text, sizeof(text), "%lx\n", (unsigned long)addr);
	return page_choose_text(fd, text);
}

static bool parse_address(const char *line, struct page_view *v)
{
	return sscanf(line, "address %lx", &v->addr) == 1;
}

static bool parse_vma(const char *line, struct page_view *v)
{
	return sscanf(line, "vma %lx-%lx %7s", &v->start, &v->end, v->permissions) == 3;
}

static bool parse_pagemap(const char *line, struct page_view *v)
{
	return strlen(line) == strlen("pagemap ") + 16 &&
	       sscanf(line, "pagemap %llx", &v->pagemap) == 1;
}

static bool parse_exclusive(const char *line, struct page_view *v)
{
	return strlen(line) == strlen("exclusive ") + 16 &&
	       sscanf(line, "exclusive %llx", &v->exclusive) == 1;
}

static bool parse_frame(const char *line, struct page_view *v)
{
	return sscanf(line, "frame %llu", &v->frame) == 1;
}

static bool parse_folio(const char *line, struct page_view *v)
{
	char pins[PAGE_WORD] = "";

	v->folio.found = sscanf(line, "folio %llu %llu %llu %llu %llu %31s", &v->folio.frame,
				&v->folio.order, &v->folio.index, &v->folio.references,
				&v->folio.mappings, pins) == 6;
	v->folio.pins = strcmp(pins, "-") ? strtoll(pins, NULL, 10) : -1;
	return v->folio.found;
}

static bool parse_anon_vma(const char *line, struct page_view *v)
{
	v->anon_vma = !strcmp(line, "anon_vma");
	return v->anon_vma;
}

static bool parse_file(const char *line, struct page_view *v)
{
	return sscanf(line, "file %31s %llu", v->file, &v->file_index) == 2;
}

static bool parse_slot(const char *line, struct page_view *v)
{
	v->slot.found = sscanf(line, "slot %u %llu %31s", &v->slot.type, &v->slot.offset,
			       v->slot.place) == 3;
	return v->slot.found;
}

static bool parse_mapped(const char *line, struct page_view *v)
{
	struct sharer s;

	if (sscanf(line, "mapped %d %lx", &s.pid, &s.addr) != 2)
		return false;
	if (v->sharers < PAGE_SHARERS)
		v->sharer[v->sharers] = s;
	v->sharers++;
	return true;
}

static bool parse_write(const char *line, struct page_view *v)
{
	return sscanf(line, "next-write %31s %31s", v->write, v->write_reason) == 2;
}

static bool parse_fork(const char *line, struct page_view *v)
{
	return sscanf(line, "next-fork %31s %31s", v->fork, v->fork_reason) == 2;
}

/* In the order of the lines. */
static bool (*const parsers[])(const char *line, struct page_view *v) = {
	parse_address, parse_vma, parse_pagemap, parse_exclusive, parse_frame, parse_folio,
	parse_anon_vma, parse_file, parse_slot, parse_mapped, parse_write, parse_fork,
};

/* Each line is parsed by the parser of the line before, or one behind that. */
static void parse(char *text, struct page_view *v)
{
	size_t next = 0, i;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (!*line)
			continue;
		if (*line == '#') {
			v->comments++;
			continue;
		}
		for (i = next; i < ARRAY_SIZE(parsers) && !parsers[i](line, v); i++)
			;
		if (i == ARRAY_SIZE(parsers)) {
			v->malformed = true;
			return;
		}
		next = parsers[i] == parse_mapped ? i : i + 1;
	}
}

int page_read(int fd, struct page_view *view)
{
	size_t len;
	char *text;

	memset(view, 0, sizeof(*view));
	if (lseek(fd, 0, SEEK_SET))
		return -errno;
	text = read_to_end(fd, 4096, &len);
	if (!text)
		return -errno;
	parse(text, view);
	free(text);
	return 0;
}

int page_at(int fd, const void *addr, struct page_view *view)
{
	return page_choose(fd, addr) ?: page_read(fd, view);
}

bool page_has_sharer(const struct page_view *view, pid_t pid, const void *addr)
{
	size_t i;

	for (i = 0; i < view->sharers && i < PAGE_SHARERS; i++)
		if (view->sharer[i].pid == pid && view->sharer[i].addr == (unsigned long)addr)
			return true;
	return false;
}
