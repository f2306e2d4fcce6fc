/* SPDX-License-Identifier: GPL-2.0 */
/* Common parts of the examples: the file to look at, and the runs of pages that they print. */
#ifndef EXAMPLES_RUNS_H
#define EXAMPLES_RUNS_H

#include <err.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE		4096ULL
#define UNSUPPORTED	3	/* exit status: the kernel lacks the interface */

struct runs {
	__u64 start;
	__u64 end;
	__u64 pages;
};

/* Prints the last run. */
static inline void runs_flush(struct runs *r)
{
	if (r->end > r->start)
		printf("%llx-%llx\n", r->start, r->end);
	r->start = r->end;
}

/* Adds bytes of the file, in ascending order. Neighbours are one run. */
static inline void runs_add(struct runs *r, __u64 start, __u64 end)
{
	if (start != r->end) {
		runs_flush(r);
		r->start = start;
	}
	r->end = end;
	r->pages += (end - start) / PAGE;
}

static inline int runs_done(struct runs *r)
{
	runs_flush(r);
	printf("total %llu pages\n", r->pages);
	return 0;
}

/* Opens the file on the command line. Stores its size, rounded up to whole pages. */
static inline int open_file(int argc, char **argv, __u64 *size)
{
	struct stat st;
	int fd;

	if (argc != 2)
		errx(2, "usage: %s FILE, such as /dev/shm/NAME or /proc/PID/fd/N", argv[0]);
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", argv[1]);
	*size = (st.st_size + PAGE - 1) / PAGE * PAGE;
	return fd;
}

#endif
