/* SPDX-License-Identifier: GPL-2.0 */
/* Attached shmem files and their filemaps. */
#ifndef SELFTESTS_FILEMAP_H
#define SELFTESTS_FILEMAP_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/memory/region.h"

/* 0 or a negative errno. */
int attach_fd(int fd);
int detach_fd(const char *id);

/* MAJOR:MINOR:INODE, as detach_fd takes it. */
void file_id(int fd, char *id, size_t size);

/* Returns a file descriptor or a negative errno. */
int filemap_open(const char *id);

/* As pagemap_read(), from page @first of the file on. */
long filemap_read(int fd, size_t first, __u64 *entries, size_t pages);

/*
 * Compares the entries of the region's part of the file with cachestat(2), frames of
 * resident pages with /proc/PID/pagemap, and bytes of swapped pages with the disk.
 * Returns the number of wrong entries.
 */
size_t filemap_wrong(const struct region *r, const __u64 *entries);

/* Attaches the region's file, does filemap_wrong() for its part, and detaches it. */
long filemap_survey(const struct region *r);

#endif
