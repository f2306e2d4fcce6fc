/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text of a swapmap as it must be, made from the entries of a pagemap, and
 * the lines of one as they are.
 */
#ifndef SELFTESTS_LISTING_H
#define SELFTESTS_LISTING_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct run {
	__u64 start, end;	/* addresses, or page indexes */
	unsigned int type;
	__u64 offset, pages;
	bool shmem;
};

struct listing {
	char *text;		/* malloc()ed, ends with a NUL */
	size_t len, room;
	size_t lines;
	__u64 unit;		/* from one page to the next: 4096, or 1 */
	struct run run;		/* the last one, not yet in the text */
};

void listing_init(struct listing *ls, __u64 unit);
void listing_free(struct listing *ls);

/* The page at @where has this entry; call in ascending order. */
void listing_add(struct listing *ls, __u64 where, __u64 entry);

/* No more pages. */
void listing_end(struct listing *ls);

/*
 * Of all of a process's memory by PID/pagemap, but for addresses from
 * @but_from up to @but_to. Returns 0 or a negative errno.
 */
int listing_of_process(struct listing *ls, pid_t pid, const void *but_from,
		       const void *but_to);

/* Of pages of a file by its filemap. */
int listing_of_file(struct listing *ls, int filemap, size_t pages);

/*
 * Takes one line off the text, which goes on behind it. Returns whether it is
 * exactly as the contract has it.
 */
bool listing_parse(const char **text, struct run *run);

/* How many lines of a text are a run each, ascending; -1 if one is not so. */
long listing_check(const char *text, __u64 unit);

#endif
