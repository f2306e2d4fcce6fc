// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/largefile.h"
#include "lib/memory/region.h"
#include "lib/system/text.h"

#define TRIES		100
#define PAUSE_US	20000

/* Path of a file in sysfs's directory for folios of that size. */
static void size_path(const struct largefile *f, const char *file, char *path,
		      size_t size)
{
	snprintf(path, size, "/sys/kernel/mm/transparent_hugepage/hugepages-%lukB/%s",
		 f->folio_pages * PAGE_BYTES / 1024, file);
}

int largefile_create(struct largefile *f, size_t folio_pages, size_t pages)
{
	char path[128];
	int err;

	*f = (struct largefile){ .fd = -1, .folio_pages = folio_pages };
	if (folio_pages == PMD_PAGES) {
		err = mounted_tmpfs(&f->mounted, "huge=always");
		if (!err)
			f->fd = mounted_file(&f->mounted, "file", pages);
		return err ?: f->fd < 0 ? f->fd : 0;
	}
	size_path(f, "shmem_enabled", path, sizeof(path));
	err = setting_change(&f->setting, path, "always");
	if (err)
		return err;
	f->fd = memfd_create("xpagemap-test", MFD_CLOEXEC);
	return f->fd < 0 || ftruncate(f->fd, pages * PAGE_BYTES) ? -errno : 0;
}

int largefile_map(struct largefile *f, struct region *r, size_t folio_pages, size_t pages)
{
	void *at = region_find_aligned(pages * PAGE_BYTES);

	if (!at)
		return -ENOMEM;
	return largefile_create(f, folio_pages, pages) ?:
	       region_map(r, at, pages, MAP_SHARED | MAP_FIXED, f->fd, 0);
}

int largefile_remove(struct largefile *f)
{
	return setting_restore(&f->setting) ?: mounted_remove(&f->mounted);
}

long long largefile_swapped(const struct largefile *f)
{
	char path[128], text[32];
	long len;

	size_path(f, "stats/swpout", path, sizeof(path));
	len = read_text(path, text, sizeof(text));
	return len < 0 ? len : atoll(text);
}

int collapse(void *addr)
{
	int tries, err = -EAGAIN;

	for (tries = 0; tries < TRIES && err == -EAGAIN; tries++) {
		if (tries)
			usleep(PAUSE_US);
		err = madvise(addr, PMD_BYTES, MADV_COLLAPSE) ? -errno : 0;
	}
	return err;
}
