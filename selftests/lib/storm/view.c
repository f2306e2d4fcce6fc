// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "lib/pagemap/filemap.h"
#include "lib/pagemap/source.h"
#include "lib/storm/view.h"
#include "xpagemap.h"

int view_open_process(struct view *v, pid_t pid)
{
	*v = (struct view){ .kind = VIEW_PROCESS, .pid = pid };
	v->fd = target_open(pid);
	return v->fd < 0 ? v->fd : 0;
}

int view_open_file(struct view *v, int fd)
{
	char id[64];

	*v = (struct view){ .kind = VIEW_FILE };
	file_id(fd, id, sizeof(id));
	v->fd = filemap_open(id);
	return v->fd < 0 ? v->fd : 0;
}

int view_read(const struct view *v, const struct region *r, size_t from,
	      size_t pages, __u64 *entries)
{
	long got;

	if (v->kind == VIEW_PROCESS) {
		got = pagemap_read(v->fd, region_page(r, from), entries, pages);
		return got < 0 ? got : got == (long)pages ? 0 : -ENODATA;
	}
	got = filemap_read(v->fd, r->first + from, entries, pages);
	if (got < 0)
		return got;
	memset(entries + got, 0, (pages - got) * sizeof(*entries));
	return 0;
}

const char *view_name(const struct view *v)
{
	return v->kind == VIEW_PROCESS ? "PID/pagemap" : "files/ID/filemap";
}
