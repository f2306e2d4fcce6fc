// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "lib/pagemap/filemap.h"
#include "lib/pagemap/source.h"
#include "lib/storm/view.h"
#include "xpagemap.h"

int view_open_process(struct view *o, pid_t pid)
{
	*o = (struct view){ .kind = VIEW_PROCESS, .pid = pid };
	o->fd = target_open(pid);
	return o->fd < 0 ? o->fd : 0;
}

int view_open_file(struct view *o, int fd)
{
	char id[64];

	*o = (struct view){ .kind = VIEW_FILE };
	file_id(fd, id, sizeof(id));
	o->fd = filemap_open(id);
	return o->fd < 0 ? o->fd : 0;
}

int view_read(const struct view *o, const struct region *r, size_t from,
		 size_t pages, __u64 *entries)
{
	long got;

	if (o->kind == VIEW_PROCESS) {
		got = pagemap_read(o->fd, region_page(r, from), entries, pages);
		return got < 0 ? got : got == (long)pages ? 0 : -ENODATA;
	}
	got = filemap_read(o->fd, r->first + from, entries, pages);
	if (got < 0)
		return got;
	memset(entries + got, 0, (pages - got) * sizeof(*entries));
	return 0;
}

const char *view_name(const struct view *o)
{
	return o->kind == VIEW_PROCESS ? "PID/pagemap" : "files/ID/filemap";
}
