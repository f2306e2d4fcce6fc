// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "../xpagemap.h"
#include "filemap.h"
#include "outlook.h"
#include "source.h"

int outlook_open_process(struct outlook *o, pid_t pid)
{
	*o = (struct outlook){ .kind = OUTLOOK_PROCESS, .pid = pid };
	o->fd = target_open(pid);
	return o->fd < 0 ? o->fd : 0;
}

int outlook_open_file(struct outlook *o, int fd)
{
	char id[64];

	*o = (struct outlook){ .kind = OUTLOOK_FILE };
	file_id(fd, id, sizeof(id));
	o->fd = filemap_open(id);
	return o->fd < 0 ? o->fd : 0;
}

int outlook_read(const struct outlook *o, const struct region *r, size_t from,
		 size_t pages, __u64 *entries)
{
	long got;

	if (o->kind == OUTLOOK_PROCESS) {
		got = pagemap_read(o->fd, region_page(r, from), entries, pages);
		return got < 0 ? got : got == (long)pages ? 0 : -ENODATA;
	}
	got = filemap_read(o->fd, r->first + from, entries, pages);
	if (got < 0)
		return got;
	memset(entries + got, 0, (pages - got) * sizeof(*entries));
	return 0;
}

const char *outlook_name(const struct outlook *o)
{
	return o->kind == OUTLOOK_PROCESS ? "PID/pagemap" : "files/ID/filemap";
}
