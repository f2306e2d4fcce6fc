// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/pagemap/lookup.h"
#include "lib/pagemap/survey.h"
#include "lib/swap/swapdisk.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define WRITEBACK_TRIES		50
#define WRITEBACK_PAUSE_US	100000

struct entries {
	__u64 *before;	/* /proc's, read before and after the others */
	__u64 *got;
	__u64 *after;
	unsigned char *states;
	unsigned char *incore;
	struct lookup lookup;
};

static void __printf(4, 5) mistake(struct survey *s, size_t page, __u64 entry,
				   const char *fmt, ...)
{
	va_list args;
	int len;

	if (s->mistaken++)
		return;
	len = snprintf(s->first, sizeof(s->first), "page %zu reads %#018llx: ", page,
		       (unsigned long long)entry);
	va_start(args, fmt);
	vsnprintf(s->first + len, sizeof(s->first) - len, fmt, args);
	va_end(args);
}

/* A uffd-wp marker has a swap type that no device has. */
static bool is_uffd_marker(__u64 entry, const struct swaps *swaps)
{
	return pm_is_swap(entry) && (entry & PM_UFFD) && !(entry & PM_GUARD) &&
	       pm_swap_type(entry) >= swaps->count;
}

/* Returns true if the bytes differ, which a write under way may change. */
static bool survey_place(struct survey *s, struct swaps *swaps,
			 const struct region *r, size_t i, __u64 entry)
{
	unsigned int type = pm_swap_type(entry);
	const void *bytes;
	char found[64];

	s->due++;
	bytes = swaps_page(swaps, type, pm_swap_offset(entry));
	if (!bytes) {
		mistake(s, i, entry, "slot %u:%llu unreadable: %s", type,
			(unsigned long long)pm_swap_offset(entry), strerror(errno));
		return false;
	}
	if (pattern_matches(bytes, region_id(r, i), r->first + i)) {
		s->located++;
		s->located_on[type]++;
		return false;
	}
	pattern_describe(bytes, region_id(r, i), found, sizeof(found));
	mistake(s, i, entry, "slot %u:%llu holds %s, not page %llu", type,
		(unsigned long long)pm_swap_offset(entry), found,
		(unsigned long long)(r->first + i));
	return true;
}

static bool survey_page(struct survey *s, struct swaps *swaps,
			const struct region *r, size_t i, int state,
			__u64 proc, __u64 got)
{
	__u64 flags;

	s->present += !!(got & PM_PRESENT);
	s->nothing += pm_is_nothing(got);
	s->swapped += pm_is_swap(got) && !is_uffd_marker(got, swaps) && !(got & PM_GUARD);

	if (state == PAGE_SWAPPED && (pm_is_nothing(proc) || is_uffd_marker(proc, swaps))) {
		flags = PM_SWAP | PM_FILE | (proc & (PM_SOFT_DIRTY | PM_UFFD));
		if ((got & ~PM_FRAME) == flags)
			return survey_place(s, swaps, r, i, got);
		s->due++;
		s->silent += pm_is_nothing(got);
		mistake(s, i, got, "swapped out, so flags must be %#llx",
			(unsigned long long)flags);
		return false;
	}
	if (got != proc) {
		mistake(s, i, got, "must be as in /proc: %#018llx",
			(unsigned long long)proc);
		return false;
	}
	if ((got & PM_PRESENT) && !r->private && state != PAGE_RESIDENT && r->fd >= 0)
		mistake(s, i, got, "mapped, but not in the file's page cache");
	if (pm_is_swap(got) && pm_swap_type(got) < swaps->count && !(got & PM_GUARD))
		return survey_place(s, swaps, r, i, got);
	return false;
}

static int survey_once(const struct source *src, const struct region *r,
		       struct entries *e, struct swaps *swaps, struct survey *s,
		       bool *again)
{
	char how[128];
	size_t i;
	int err;

	*s = (struct survey){ .pages = r->pages };
	*again = false;
	swaps_forget(swaps);
	if (pagemap_read(src->proc, r->addr, e->before, r->pages) != (long)r->pages ||
	    pagemap_read(src->fd, r->addr, e->got, r->pages) != (long)r->pages)
		return -EIO;
	err = lookup_range(&e->lookup, src, r->addr, r->pages);
	if (err)
		return err;
	if (pagemap_read(src->proc, r->addr, e->after, r->pages) != (long)r->pages)
		return -EIO;
	err = region_states(r, e->states);
	if (err)
		return err;
	for (i = 0; i < r->pages; i++) {
		if (e->before[i] != e->after[i]) {
			*again = true;
			mistake(s, i, e->after[i], "changes during the survey");
			continue;
		}
		if (!lookup_agrees(&e->lookup, i, e->got[i], how, sizeof(how)))
			mistake(s, i, e->got[i], "%s", how);
		if (survey_page(s, swaps, r, i, e->states[i], e->before[i], e->got[i]))
			*again = true;
	}
	if (src->pid != getpid())
		return 0;
	if (mincore(r->addr, r->pages * PAGE_BYTES, e->incore))
		return -errno;
	for (i = 0; i < r->pages; i++)
		if ((e->got[i] & PM_PRESENT) && !(e->incore[i] & 1))
			mistake(s, i, e->got[i], "present, but not in memory by mincore");
	return 0;
}

int survey_region(const struct source *src, const struct region *r,
		  struct survey *s)
{
	size_t bytes = r->pages * (3 * sizeof(__u64) + 2);
	struct entries e = {};
	struct swaps swaps;
	bool again = true;
	int err, tries;

	/* Populated now, so that the survey makes no page faults. */
	e.before = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (e.before == MAP_FAILED)
		return -errno;
	e.got = e.before + r->pages;
	e.after = e.got + r->pages;
	e.states = (unsigned char *)(e.after + r->pages);
	e.incore = e.states + r->pages;
	err = swaps_open(&swaps) ?: lookup_alloc(&e.lookup, r->pages);
	for (tries = 0; !err && again && tries < WRITEBACK_TRIES; tries++) {
		if (tries)
			usleep(WRITEBACK_PAUSE_US);
		err = survey_once(src, r, &e, &swaps, s, &again);
	}
	lookup_free(&e.lookup);
	swaps_close(&swaps);
	munmap(e.before, bytes);
	return err;
}

void survey_print(const struct survey *s, const char *what)
{
	ksft_print_msg("%s: %zu pages, %zu present, %zu nothing, %zu mistaken\n",
		       what, s->pages, s->present, s->nothing, s->mistaken);
	ksft_print_msg("%s: located %zu of %zu in swap, %zu shown as nothing\n",
		       what, s->located, s->due, s->silent);
	if (s->mistaken)
		ksft_print_msg("%s: %s\n", what, s->first);
}
