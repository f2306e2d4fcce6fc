// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"
#include "lib/pagemap/source.h"
#include "xpagemap.h"

#define CHUNK	512
#define SHOWN	10	/* violations printed */

static FILE *open_text(const struct exclusive *ex, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/%s", ex->pid, name);
	return fopen(path, "re");
}

int exclusive_open(struct exclusive *ex, pid_t pid)
{
	char path[64];
	int err;

	*ex = (struct exclusive){ .pid = pid, .fd = -1, .proc = -1 };
	err = attach(pid);
	if (err)
		return err;
	ex->attached = true;
	ex->proc = proc_pagemap_open(pid);
	if (ex->proc < 0)
		return ex->proc;
	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/exclusive", pid);
	ex->fd = open(path, O_RDONLY | O_CLOEXEC);
	return ex->fd < 0 ? -errno : 0;
}

int exclusive_close(struct exclusive *ex)
{
	if (!ex->attached)
		return 0;
	ex->attached = false;
	if (ex->fd >= 0)
		close(ex->fd);
	if (ex->proc >= 0)
		close(ex->proc);
	return detach(ex->pid);
}

int exclusive_close_both(struct exclusive *ex, struct exclusive *other, struct child *c)
{
	int err = exclusive_close(other);

	err = exclusive_close(ex) ?: err;
	child_kill(c);
	return err;
}

int exclusive_child(struct exclusive *ex, struct child *c,
		    int (*body)(struct child *c, void *arg), void *arg)
{
	return child_start(c, body, arg) ?: exclusive_open(ex, c->pid);
}

int exclusive_child_idle(struct exclusive *ex, struct child *c)
{
	return child_start_idle(c) ?: exclusive_open(ex, c->pid);
}

__u64 exclusive_at(const struct exclusive *ex, const void *addr)
{
	__u64 entry;

	return pagemap_read(ex->fd, addr, &entry, 1) == 1 ? entry : EX_ERROR;
}

long exclusive_count(const struct exclusive *ex, const void *addr, size_t pages,
		     __u64 mask, __u64 bits)
{
	const unsigned char *at = addr;
	__u64 entries[CHUNK];
	long got, i, count = 0;

	while (pages) {
		got = pagemap_read(ex->fd, at, entries, pages < CHUNK ? pages : CHUNK);
		if (got <= 0)
			return got ?: -ENODATA;
		for (i = 0; i < got; i++)
			count += (entries[i] & mask) == bits;
		at += got * PAGE_BYTES;
		pages -= got;
	}
	return count;
}

/* DETAIL begins with "suspected" for a rule that may be broken, with "certain" else. */
static bool is_certain(const char *line)
{
	return *line != '#' && !strstr(line, " suspected");
}

static bool is_suspected_at(const char *line, const void *addr)
{
	return strstr(line, " suspected") &&
	       strtoul(line, NULL, 16) == (unsigned long)addr;
}

/* Lines that are suspected at @addr, or with NULL all that are certain, and prints these. */
static long count_violations(const struct exclusive *ex, const void *addr)
{
	FILE *file = open_text(ex, "violations");
	char *line = NULL;
	size_t room = 0;
	long lines = 0;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		if (!(addr ? is_suspected_at(line, addr) : is_certain(line)))
			continue;
		lines++;
		if (!addr && lines <= SHOWN)
			ksft_print_msg("violation: %s", line);
	}
	if (ferror(file))
		lines = -EIO;
	free(line);
	fclose(file);
	return lines;
}

long violations_of(const struct exclusive *ex)
{
	return count_violations(ex, NULL);
}

long suspected_at(const struct exclusive *ex, const void *addr)
{
	return count_violations(ex, addr);
}

/* True for the line of the VMA that starts at @vma, or of the total if that is NULL. */
static bool is_line_of(const char *line, const void *vma)
{
	char *end;

	if (!vma)
		return !strncmp(line, "total", strlen("total"));
	return strtoul(line, &end, 16) == (unsigned long)vma && *end == '-';
}

/* Index of the column in the line of names, or -1. */
static int find_column(char *names, const char *name)
{
	char *word, *rest;
	int column = 0;

	for (word = strtok_r(names, "# \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
		if (!strcmp(word, name))
			return column;
		column++;
	}
	return -1;
}

long long summary_value(const struct exclusive *ex, const void *vma,
			const char *column)
{
	FILE *file = open_text(ex, "summary");
	long long value = -ENOENT;
	char *line = NULL, *word, *rest;
	size_t room = 0;
	int number = -1;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		if (*line == '#' && number < 0)
			number = find_column(line, column);
		if (number < 0 || !is_line_of(line, vma))
			continue;
		for (word = strtok_r(line, " \t\n", &rest); word && number; number--)
			word = strtok_r(NULL, " \t\n", &rest);
		if (word)
			value = strtoll(word, NULL, 10);
		break;
	}
	free(line);
	fclose(file);
	return value;
}

void exclusive_describe(__u64 entry, char *buf, size_t size)
{
	static const struct {
		__u64 bit;
		const char *name;
	} names[] = {
		{ EX_PRESENT, "present" },
		{ EX_SWAP, "swap" },
		{ EX_FILE, "file" },
		{ EX_EXCLUSIVE, "exclusive" },
		{ EX_MAYBE_PINNED, "maybe-pinned" },
		{ EX_WRITABLE, "writable" },
		{ EX_KSM, "ksm" },
		{ EX_LARGE, "large" },
		{ EX_PMD, "pmd" },
		{ EX_SWAP_CACHE, "swap-cache" },
		{ EX_MIGRATION, "migration" },
		{ EX_ZERO, "zero" },
	};
	size_t i, len = 0;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (entry & names[i].bit && len < size)
			len += snprintf(buf + len, size - len, "%s ", names[i].name);
	if (len < size)
		snprintf(buf + len, size - len, "references %u mapped %u",
			 ex_references(entry), ex_map_count(entry));
}
