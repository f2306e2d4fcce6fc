// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of shared memory that a checkpoint must save, as today: two calls of lseek() for each
 * run of data, in memory or in swap. Pages that were only read, or written with zeroes, are data.
 */
#include <errno.h>

#include "runs.h"

int main(int argc, char **argv)
{
	struct runs runs = { 0 };
	off_t start, end = 0;
	__u64 size;
	int fd;

	fd = open_file(argc, argv, &size);
	while ((__u64)end < size) {
		start = lseek(fd, end, SEEK_DATA);
		if (start < 0 && errno == ENXIO)
			break;
		if (start < 0)
			err(1, "lseek");
		end = lseek(fd, start, SEEK_HOLE);
		if (end < 0)
			err(1, "lseek");
		/* The hole behind the last page begins where the file ends. */
		end = (end + PAGE - 1) / PAGE * PAGE;
		runs_add(&runs, start, end);
	}
	return runs_done(&runs);
}
