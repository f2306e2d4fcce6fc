// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of shared memory that are in memory, by mincore() of a mapping. Some programs of today
 * take them for the pages that a checkpoint must save. That is right without swap only: a page
 * in swap is left out, and its data is lost.
 */
#include <sys/mman.h>

#include "runs.h"

#define PAGES	4096	/* a call */

int main(int argc, char **argv)
{
	static unsigned char states[PAGES];
	struct runs runs = { 0 };
	__u64 size, at, pages, i;
	char *map;
	int fd;

	fd = open_file(argc, argv, &size);
	if (!size)
		return runs_done(&runs);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "%s", argv[1]);
	for (at = 0; at < size; at += pages * PAGE) {
		pages = (size - at) / PAGE;
		if (pages > PAGES)
			pages = PAGES;
		if (mincore(map + at, pages * PAGE, states))
			err(1, "mincore");
		for (i = 0; i < pages; i++)
			if (states[i] & 1)
				runs_add(&runs, at + i * PAGE, at + (i + 1) * PAGE);
	}
	return runs_done(&runs);
}
