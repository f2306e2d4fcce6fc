/* SPDX-License-Identifier: GPL-2.0 */
/* A file of xpagemap that shows the pages of a region. */
#ifndef SELFTESTS_VIEW_H
#define SELFTESTS_VIEW_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/memory/region.h"

struct view {
	enum view_kind {
		VIEW_PROCESS,	/* PID/pagemap */
		VIEW_FILE,		/* files/ID/filemap */
	} kind;
	pid_t pid;
	int fd;
};

/* Both return 0 or a negative errno. The process or file must be attached. */
int view_open_process(struct view *v, pid_t pid);
int view_open_file(struct view *v, int fd);

/*
 * Reads the entries of @pages pages of @r from its page @from on. Pages behind the end
 * of a file read 0. Returns 0 or a negative errno.
 */
int view_read(const struct view *v, const struct region *r, size_t from,
	      size_t pages, __u64 *entries);

const char *view_name(const struct view *v);

#endif
