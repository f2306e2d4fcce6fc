/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The expected text of a swapmap, but for its last column, from the entries of a pagemap,
 * and a parser of its lines.
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
	char place[8];		/* WHERE; empty in a listing, which pagemap does not tell it */
};

struct listing {
	char *text;		/* malloc()ed, ends with a NUL */
	size_t len, room;
	size_t lines;
	__u64 unit;		/* distance of two pages: 4096 (address) or 1 (index) */
	struct run run;		/* the current run, not yet in the text */
};

void listing_init(struct listing *ls, __u64 unit);
void listing_free(struct listing *ls);

/* Adds the page at @where; in ascending order. */
void listing_add(struct listing *ls, __u64 where, __u64 entry);

/* Writes the last run. */
void listing_end(struct listing *ls);

/*
 * Adds all memory of a process by PID/pagemap, except addresses from @but_from up to
 * @but_to. Returns 0 or a negative errno.
 */
int listing_of_process(struct listing *ls, pid_t pid, const void *but_from,
		       const void *but_to);

/* Adds the pages of a file by its filemap. */
int listing_of_file(struct listing *ls, int filemap, size_t pages);

/* Takes a line off the text. Returns false if it is not exactly in the documented format. */
bool listing_parse(const char **text, struct run *run);

/*
 * Number of lines, or -1 if one is no run, they are not in ascending order, or two could
 * be one.
 */
long listing_check(const char *text, __u64 unit);

/*
 * The text without WHERE, as a listing has it: malloc()ed, with runs joined that differ in
 * nothing else. NULL if it is not exactly in the documented format.
 */
char *listing_joined(const char *text, __u64 unit);

#endif
