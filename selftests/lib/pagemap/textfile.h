/* SPDX-License-Identifier: GPL-2.0 */
/* A text file that must give the same however it is read. */
#ifndef SELFTESTS_TEXTFILE_H
#define SELFTESTS_TEXTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/system/child.h"

struct textfile {
	int fd;
	const char *text;	/* what the file has */
	size_t len;
	size_t step, rounds;	/* for textfile_read_again() */
};

/*
 * Reads of several sizes from the beginning on, and of any size from anywhere. Both print
 * what was not the same.
 */
bool textfile_same_by_sizes(const struct textfile *f);
bool textfile_same_from_anywhere(const struct textfile *f);

/*
 * Reads all of it @rounds times by pread(2), @step bytes at a time. Returns 0 if it is
 * the same each time. A child's body: @arg is the struct textfile.
 */
int textfile_read_again(struct child *c, void *arg);

#endif
