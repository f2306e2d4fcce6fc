/* SPDX-License-Identifier: GPL-2.0 */
/* A text file whose contents must not depend on the sizes and offsets of reads. */
#ifndef SELFTESTS_TEXTFILE_H
#define SELFTESTS_TEXTFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/system/child.h"

struct textfile {
	int fd;
	const char *text;	/* contents of the file */
	size_t len;
	size_t step, rounds;	/* for textfile_read_again() */
};

/*
 * Compare reads of several sizes from the beginning, and reads of random sizes at random
 * offsets. Both print the first difference.
 */
bool textfile_same_by_sizes(const struct textfile *f);
bool textfile_same_from_anywhere(const struct textfile *f);

/*
 * Reads it @rounds times by pread(2), @step bytes at a time. Returns 0 if it is the same
 * each time. A child's body: @arg is the struct textfile.
 */
int textfile_read_again(struct child *c, void *arg);

#endif
