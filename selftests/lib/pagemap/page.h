/* SPDX-License-Identifier: GPL-2.0 */
/* A target's PID/page. */
#ifndef SELFTESTS_PAGE_H
#define SELFTESTS_PAGE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PAGE_WORD	32
#define PAGE_SHARERS	64	/* kept */

struct sharer {
	pid_t pid;
	unsigned long addr;
};

/* Lines of PID/page; zeroes and empty strings for lines that it has not. */
struct page_view {
	unsigned long addr, start, end;
	char permissions[8];
	__u64 pagemap, exclusive, frame;
	struct {
		bool found;
		__u64 frame, order, index, references, mappings;
		long long pins;		/* -1: unknown */
	} folio;
	bool anon_vma;
	char file[PAGE_WORD];
	__u64 file_index;
	struct {
		bool found;
		unsigned int type;
		__u64 offset;
		char place[PAGE_WORD];
	} slot;
	size_t sharers;		/* all of them */
	struct sharer sharer[PAGE_SHARERS];
	char write[PAGE_WORD], write_reason[PAGE_WORD];
	char fork[PAGE_WORD], fork_reason[PAGE_WORD];
	size_t comments;	/* lines that begin with '#' */
	bool malformed;		/* a line is none of these, or out of order */
};

/* Opens PID/page of an attached process. Returns a file descriptor or a negative errno. */
int page_open(pid_t pid);

/* Writes the address, or the text, as it is. Return 0 or a negative errno. */
int page_choose(int fd, const void *addr);
int page_choose_text(int fd, const char *text);

/* Reads the page chosen before; chooses one and reads it. Return 0 or a negative errno. */
int page_read(int fd, struct page_view *view);
int page_at(int fd, const void *addr, struct page_view *view);

/* True if the line of a mapping is there. */
bool page_has_sharer(const struct page_view *view, pid_t pid, const void *addr);

#endif
