// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/pagemap/agreement.h"
#include "lib/pagemap/filemap.h"
#include "lib/pagemap/shmemscan.h"
#include "lib/pagemap/swapmap.h"
#include "xpagemap.h"

#define TRIES		50
#define PAUSE_US	20000
#define ROOM		100	/* regions a call: fewer than most files have */

/* All that is known of one page. Slots are 0 if there is none. */
struct views {
	struct shmemscan_page scan, again;
	__u64 filemap;
	__u64 pagemap;
	__u64 file_slot;	/* by files/ID/swapmap */
	__u64 slot;		/* by PID/swapmap */
};

/* One array for each member of struct views, read in this order. */
struct arrays {
	struct shmemscan_page *scan, *again;
	__u64 *filemap, *pagemap, *file_slot, *slot;
};

static void __printf(3, 4) differ(struct agreement *a, size_t page, const char *fmt, ...)
{
	va_list args;
	int len;

	if (a->wrong++)
		return;
	len = snprintf(a->first, sizeof(a->first), "page %zu: ", page);
	va_start(args, fmt);
	vsnprintf(a->first + len, sizeof(a->first) - len, fmt, args);
	va_end(args);
}

/* Stores the slot of a page of shared memory. */
static void store_slot(size_t page, const struct run *run, __u64 of_run, void *arg)
{
	__u64 *slots = arg;

	if (run->shmem)
		slots[page] = run->type | (run->offset + of_run) << PM_SWAP_OFFSET_SHIFT;
}

static int read_slots(int fd, __u64 start, __u64 unit, size_t pages, __u64 *slots)
{
	memset(slots, 0, pages * sizeof(*slots));
	return swapmap_visit(fd, start, unit, pages, store_slot, slots);
}

/* By the files below files/ID, while the file is attached. */
static int read_file(const struct region *r, const char *id, struct arrays *v)
{
	int fd = filemap_open(id);
	long got;

	if (fd < 0)
		return fd;
	got = filemap_read(fd, r->first, v->filemap, r->pages);
	close(fd);
	if (got < 0)
		return got;
	/* The filemap ends with the file's last page. */
	memset(v->filemap + got, 0, (r->pages - got) * sizeof(*v->filemap));
	return read_slots(swapmap_open_file(id), r->first, 1, r->pages, v->file_slot);
}

static int read_all(const struct source *src, const struct region *r, struct arrays *v)
{
	int attached, err;
	char id[64];

	file_id(r->fd, id, sizeof(id));
	attached = attach_fd(r->fd);
	if (attached && attached != -EEXIST)
		return attached;
	err = shmemscan_pages(r->fd, r->first, r->pages, ROOM, v->scan) ?:
	      read_file(r, id, v);
	if (!attached)
		detach_fd(id);
	if (err)
		return err;
	if (pagemap_read(src->fd, r->addr, v->pagemap, r->pages) != (long)r->pages)
		return -EIO;
	return read_slots(swapmap_open(src->pid), (unsigned long)r->addr, PAGE_BYTES, r->pages,
			  v->slot) ?:
	       shmemscan_pages(r->fd, r->first, r->pages, r->pages + 1, v->again);
}

/* The slot of a page of shared memory in a pagemap entry, or 0. */
static __u64 shmem_slot(__u64 entry)
{
	if (!pm_is_swap(entry) || !(entry & PM_FILE) || (entry & PM_GUARD))
		return 0;
	return entry & PM_FRAME;
}

/*
 * True if the entry shows the file's page: the page table has it or nothing, or a marker of
 * userfaultfd's write protection. Anonymous pages of a private mapping, other markers and
 * guard regions hide the file's page.
 */
static bool shows_the_file(const struct region *r, __u64 entry)
{
	if (entry & PM_PRESENT)
		return entry & PM_FILE;
	if (!(entry & PM_SWAP) || shmem_slot(entry))
		return true;
	return !r->private && (entry & (PM_UFFD | PM_GUARD)) == PM_UFFD;
}

static void compare_page(struct agreement *a, const struct region *r, size_t i,
			 const struct views *v)
{
	__u64 categories = v->scan.categories, slot = v->scan.location;
	bool cached = categories & SHMEM_IS_CACHED;
	__u64 shown = shmem_slot(v->pagemap);

	a->cached += cached;
	a->swapped += !!slot;
	a->dirty += !!(categories & SHMEM_IS_DIRTY);
	a->zero += !!(categories & SHMEM_IS_ZERO);
	a->located += slot && shown == slot;
	if (cached != !!(v->filemap & PM_PRESENT) || slot != shmem_slot(v->filemap))
		differ(a, i, "SHMEM_SCAN %#llx %#llx, filemap %#llx", categories, slot, v->filemap);
	else if (slot != v->file_slot)
		differ(a, i, "SHMEM_SCAN %#llx %#llx, files/ID/swapmap %#llx", categories, slot,
		       v->file_slot);
	else if (shown != v->slot)
		differ(a, i, "PID/pagemap %#llx, PID/swapmap %#llx", v->pagemap, v->slot);
	else if (shows_the_file(r, v->pagemap) &&
		 (shown != slot || (!cached && (v->pagemap & PM_PRESENT))))
		differ(a, i, "SHMEM_SCAN %#llx %#llx, PID/pagemap %#llx", categories, slot,
		       v->pagemap);
}

/* PG_dirty may be set or found meanwhile: only moves matter. */
static bool has_moved(const struct views *v)
{
	return v->scan.location != v->again.location ||
	       ((v->scan.categories ^ v->again.categories) & ~SHMEM_IS_DIRTY);
}

static int compare_all(const struct source *src, const struct region *r, struct arrays *v,
		       struct agreement *a)
{
	int tries, err;
	size_t i;

	for (tries = 0; tries < TRIES; tries++) {
		bool moved = false;

		*a = (struct agreement){ .pages = r->pages };
		err = read_all(src, r, v);
		if (err)
			return err;
		for (i = 0; i < r->pages; i++) {
			const struct views page = {
				v->scan[i], v->again[i], v->filemap[i], v->pagemap[i],
				v->file_slot[i], v->slot[i],
			};

			moved |= has_moved(&page);
			compare_page(a, r, i, &page);
		}
		if (!moved)
			return 0;
		usleep(PAUSE_US);
	}
	return -EAGAIN;
}

static bool is_zero(const unsigned char *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* A page that cannot be read is lost: it is in no category. */
static int compare_bytes(const struct region *r, const struct arrays *v, struct agreement *a)
{
	unsigned char page[PAGE_BYTES];
	ssize_t got;
	size_t i;

	for (i = 0; i < r->pages; i++) {
		__u64 categories = v->scan[i].categories;

		memset(page, 0, sizeof(page));
		got = pread(r->fd, page, PAGE_BYTES, (r->first + i) * PAGE_BYTES);
		if (got < 0 && errno != EIO)
			return -errno;
		if (got < 0 ? categories : !is_zero(page) && !shmemscan_has_data(categories))
			differ(a, i, "SHMEM_SCAN %#llx, reading it %s", categories,
			       got < 0 ? "fails" : "finds data");
		else if (got > 0 && !is_zero(page))
			a->data++;
	}
	return 0;
}

static int check(const struct source *src, const struct region *r, struct agreement *a,
		 bool bytes)
{
	size_t each = 2 * sizeof(struct shmemscan_page) + 4 * sizeof(__u64);
	struct arrays v;
	int err;

	v.scan = calloc(r->pages, each);
	if (!v.scan)
		return -ENOMEM;
	v.again = v.scan + r->pages;
	v.filemap = (__u64 *)(v.again + r->pages);
	v.pagemap = v.filemap + r->pages;
	v.file_slot = v.pagemap + r->pages;
	v.slot = v.file_slot + r->pages;
	err = compare_all(src, r, &v, a);
	if (!err && bytes)
		err = compare_bytes(r, &v, a);
	free(v.scan);
	return err;
}

int agreement_check(const struct source *src, const struct region *r, struct agreement *a)
{
	return check(src, r, a, false);
}

int agreement_check_bytes(const struct source *src, const struct region *r,
			  struct agreement *a)
{
	return check(src, r, a, true);
}

void agreement_print(const struct agreement *a, const char *what)
{
	ksft_print_msg("%s: %zu pages, %zu cached (%zu dirty), %zu swapped (%zu zero)\n", what,
		       a->pages, a->cached, a->dirty, a->swapped, a->zero);
	if (a->wrong)
		ksft_print_msg("%s: %zu wrong, %s\n", what, a->wrong, a->first);
}
