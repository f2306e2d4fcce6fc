// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/memory/pattern.h"
#include "lib/pagemap/shmemscan.h"
#include "lib/storm/scanned.h"
#include "lib/system/random.h"

#define READ_ODDS	64	/* in the storm, the bytes of one of so many pages are read */

/* One scan of a part of a file. */
struct part {
	struct shadow *sh;
	size_t first, pages;
	__u32 before[SHADOW_STRETCHES];
	struct shmemscan_page page[SHADOW_PAGES];	/* from @first on */
};

static void __printf(4, 5) record_wrong(struct scanned *s, const struct part *p, size_t page,
					const char *fmt, ...)
{
	va_list args;
	int len;

	if (s->wrong++)
		return;
	len = snprintf(s->first, sizeof(s->first), "file of %zu pages, page %zu, in %#llx: ",
		       p->sh->region.pages, page, p->page[page - p->first].categories);
	va_start(args, fmt);
	vsnprintf(s->first + len, sizeof(s->first) - len, fmt, args);
	va_end(args);
}

static bool is_unchanged(const struct part *p, size_t page)
{
	return shadow_unchanged_since(p->sh, page, p->before[page / STRETCH_PAGES]);
}

static bool is_zero(const unsigned char *page)
{
	return !page[0] && !memcmp(page, page + 1, PAGE_BYTES - 1);
}

/* The bytes must be the shadow's, so that the categories were compared with the truth. */
static int check_bytes(struct scanned *s, const struct part *p, size_t page, __u64 id)
{
	unsigned char bytes[PAGE_BYTES];
	ssize_t got = pread(p->sh->region.fd, bytes, PAGE_BYTES, page * PAGE_BYTES);

	if (got < 0)
		return -errno;
	/* Behind the end of the file, which only a change moves. */
	if (got < (ssize_t)PAGE_BYTES)
		memset(bytes + got, 0, PAGE_BYTES - got);
	if (!is_unchanged(p, page))
		return 0;
	if (id ? pattern_matches(bytes, id, p->sh->region.first + page) : is_zero(bytes))
		s->read++;
	else
		record_wrong(s, p, page, "its bytes are not those written last");
	return 0;
}

/* @odds: the bytes of one of so many pages are read, of none with 0. */
static int check_page(struct scanned *s, const struct part *p, size_t page, size_t odds)
{
	__u64 categories = p->page[page - p->first].categories;
	__u64 id = p->sh->ids[page];

	/* The id is valid only if the stretch is unchanged after it was read. */
	if (!is_unchanged(p, page))
		return 0;
	s->unchanged++;
	if (id && !shmemscan_has_data(categories)) {
		record_wrong(s, p, page, "it has data");
		return 0;
	}
	if (!id && (categories & SHMEM_IS_SWAPPED)) {
		record_wrong(s, p, page, "it has no data");
		return 0;
	}
	s->holes += !id;
	s->swapped += id && (categories & SHMEM_IS_SWAPPED);
	s->cached += id && (categories & SHMEM_IS_CACHED);
	/* A read of a hole would fill it. */
	return id && odds && !random_below(odds) ? check_bytes(s, p, page, id) : 0;
}

static int check_part(struct scanned *s, struct part *p, size_t room, size_t odds)
{
	size_t i;
	int err;

	for (i = p->first / STRETCH_PAGES; i * STRETCH_PAGES < p->first + p->pages; i++)
		p->before[i] = shadow_seq(p->sh, i * STRETCH_PAGES);
	err = shmemscan_moving_pages(p->sh->region.fd, p->first, p->pages, room, p->page);
	s->scans += !err;
	for (i = 0; !err && !s->wrong && i < p->pages; i++)
		err = check_page(s, p, p->first + i, odds);
	s->pages += i;
	return err;
}

int scanned_run(struct shadows *all, struct scanned *s)
{
	static const size_t sizes[] = { 1, 3, 16, 100, 512, 513, 2000, SHADOW_PAGES };
	static const size_t rooms[] = { 1, 2, 10, 127, 128, 129, SHADOW_PAGES };
	static struct part p;
	int err = 0;

	while (!err && !s->wrong && !atomic_load(&all->stop)) {
		p.sh = &all->of[random_below(SHADOWS)];
		p.first = random_below(p.sh->region.pages);
		p.pages = sizes[random_below(ARRAY_SIZE(sizes))];
		if (p.pages > p.sh->region.pages - p.first)
			p.pages = p.sh->region.pages - p.first;
		err = check_part(s, &p, rooms[random_below(ARRAY_SIZE(rooms))],
				 atomic_load(&all->unread) ? 0 : READ_ODDS);
	}
	if (err || s->wrong)
		atomic_store(&all->stop, true);
	return err;
}

int scanned_all(struct shadows *all, struct scanned *s)
{
	static struct part p;
	int err = 0, i;

	for (i = 0; !err && i < SHADOWS; i++) {
		p.sh = &all->of[i];
		p.first = 0;
		p.pages = p.sh->region.pages;
		err = check_part(s, &p, SHADOW_PAGES, 1);
	}
	return err;
}

void scanned_add(struct scanned *sum, const struct scanned *s)
{
	sum->scans += s->scans;
	sum->pages += s->pages;
	sum->unchanged += s->unchanged;
	sum->cached += s->cached;
	sum->swapped += s->swapped;
	sum->holes += s->holes;
	sum->read += s->read;
	if (s->wrong && !sum->wrong)
		memcpy(sum->first, s->first, sizeof(sum->first));
	sum->wrong += s->wrong;
}

void scanned_print(const struct scanned *s, const char *when)
{
	ksft_print_msg("%s: %zu scans of %zu pages, %zu of them unchanged\n", when, s->scans,
		       s->pages, s->unchanged);
	ksft_print_msg("%s: checked %zu with data, %zu cached and %zu swapped; %zu holes\n", when,
		       s->cached + s->swapped, s->cached, s->swapped, s->holes);
	ksft_print_msg("%s: bytes read of %zu pages\n", when, s->read);
	if (s->wrong)
		ksft_print_msg("%s: wrong: %s\n", when, s->first);
}
