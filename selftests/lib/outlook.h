/* SPDX-License-Identifier: GPL-2.0 */
/* One of the files in which the pages of a region can be seen. */
#ifndef SELFTESTS_OUTLOOK_H
#define SELFTESTS_OUTLOOK_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "region.h"

struct outlook {
	enum outlook_kind {
		OUTLOOK_PROCESS,	/* PID/pagemap */
		OUTLOOK_FILE,		/* files/ID/filemap */
	} kind;
	pid_t pid;
	int fd;
};

/* Both return 0 or a negative errno. What is asked for must be attached. */
int outlook_open_process(struct outlook *o, pid_t pid);
int outlook_open_file(struct outlook *o, int fd);

/*
 * The entries of @pages pages of @r from its page @from on. Pages that are
 * not there any more, behind the end of a file, read 0. Returns 0 or a negative
 * errno.
 */
int outlook_read(const struct outlook *o, const struct region *r, size_t from,
		 size_t pages, __u64 *entries);

const char *outlook_name(const struct outlook *o);

#endif
