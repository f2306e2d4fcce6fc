/* SPDX-License-Identifier: GPL-2.0 */
/* The file `shmem`: the shmem files of the system that have pages in swap. */
#ifndef SELFTESTS_SHMEMLIST_H
#define SELFTESTS_SHMEMLIST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define FILE_ID		64
#define FILE_NAME	512

struct shmem_line {
	char id[FILE_ID];	/* of three or four numbers */
	unsigned int major, minor;
	__u64 inode;
	bool has_generation;
	__u64 pages, cached, swapped, links;
	char name[FILE_NAME];	/* as printed */
};

struct shmem_list {
	struct shmem_line *lines;
	size_t count;
};

/*
 * Reads the file. Returns 0 or a negative errno, -EPROTO if the text is not exactly as
 * documented.
 */
int shmem_list_read(struct shmem_list *list);
int shmem_list_parse(struct shmem_list *list, const char *text);
void shmem_list_free(struct shmem_list *list);

/* The line with that name, or of an open file; NULL if there is none, or more than one. */
const struct shmem_line *shmem_list_named(const struct shmem_list *list, const char *name);
const struct shmem_line *shmem_list_of(const struct shmem_list *list, int fd);

/* Both in one: reads the list, copies the line. 0, -ENOENT or another negative errno. */
int shmem_line_of(int fd, struct shmem_line *line);
int shmem_line_named(const char *name, struct shmem_line *line);

/*
 * Writes all pages of a file, and pages them out; nobody maps it then. Returns the number of
 * pages left in memory, or a negative errno.
 */
int file_swap_out(int fd, size_t pages);

/* 0 or a negative errno. */
int attach_file(const char *id);

/* The value of @key in files/ID/summary, or a negative errno. */
long long file_summary(const char *id, const char *key);

#endif
