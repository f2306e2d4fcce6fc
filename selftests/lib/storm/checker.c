// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/storm/checker.h"
#include "lib/storm/sample.h"
#include "lib/swap/swapdisk.h"
#include "lib/system/random.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define COMPARISONS	20	/* with the disk, for each read of the state */
#define UNLOCKED_TRIES	4	/* reads of the disk before change_lock is taken */
#define LOCKED_SECONDS	60	/* after that, no write can be under way */

/* Valid until the page's stretch is changed. */
struct known {
	__u64 slot;		/* 0: not seen in swap */
	size_t since;		/* number of the read that showed it */
};

struct checker {
	const struct checker_args *args;
	struct report *report;
	struct swapdisk disk;
	__u32 *holders;		/* by slot: 1 + the page known to be there, or 0 */
	__u32 seq[SHADOWS][SHADOW_STRETCHES];
	struct known known[SHADOWS][SHADOW_PAGES];
	__u64 entries[SHADOW_PAGES];
	size_t odds;		/* one of so many locations is read from the disk */
};

static void __printf(3, 4) record_wrong(struct checker *c, const struct sample *s,
					const char *fmt, ...)
{
	struct report *r = c->report;
	va_list args;
	int len, more;
	size_t i;

	atomic_store(&c->args->all->stop, true);
	if (r->wrong++)
		return;
	len = snprintf(r->first, sizeof(r->first), "file %zu, page %zu reads %#018llx in %s: ",
		       s->shadow, s->page, (unsigned long long)s->entry,
		       view_name(s->v));
	va_start(args, fmt);
	more = vsnprintf(r->first + len, sizeof(r->first) - len, fmt, args);
	va_end(args);
	/* Shows whether the wrong entry is permanent. */
	for (i = 0; i < c->args->views; i++) {
		const struct checker_view *other = &c->args->view[i];
		__u64 entry = 0;

		len += more;
		more = 0;
		if (other->shadow != s->shadow || len >= (int)sizeof(r->first))
			continue;
		view_read(&other->v, &s->sh->region, s->page, 1, &entry);
		more = snprintf(r->first + len, sizeof(r->first) - len, "; %s %s %#018llx",
				view_name(&other->v),
				&other->v == s->v ? "again" : "says", entry);
	}
}

static __u32 holder_of(const struct sample *s)
{
	return 1 + s->shadow * SHADOW_PAGES + s->page;
}

/*
 * True if another page was at the entry's slot during the whole read. One that this very
 * read has shown there may have come after a changed page left the slot.
 */
static bool is_held_by_another(const struct checker *c, const struct sample *s, __u32 holder)
{
	size_t shadow = (holder - 1) / SHADOW_PAGES, page = (holder - 1) % SHADOW_PAGES;

	return holder && holder != holder_of(s) &&
	       (sample_is_unchanged(s) || c->known[shadow][page].since < c->report->reads) &&
	       shadow_unchanged_since(&c->args->all->of[shadow], page,
				      c->seq[shadow][page / STRETCH_PAGES]);
}

static void forget(struct checker *c, const struct sample *s)
{
	size_t first = s->page - s->page % STRETCH_PAGES, i;

	for (i = first; i < first + STRETCH_PAGES; i++) {
		struct known *k = &c->known[s->shadow][i];

		if (c->holders[k->slot] == 1 + s->shadow * SHADOW_PAGES + i)
			c->holders[k->slot] = 0;
		*k = (struct known){};
	}
	c->seq[s->shadow][s->page / STRETCH_PAGES] = s->seq;
}

/*
 * Finds a location's bytes on the disk: with @exact those that the shadow has, else any
 * that the page has or had.
 */
static void compare_bytes(struct checker *c, const struct sample *s, bool exact)
{
	pthread_rwlock_t *lock = &c->args->all->change_lock;
	__u64 slot = pm_swap_offset(s->entry);
	__u64 id = s->sh->ids[s->page];
	bool locked = false;
	time_t deadline = 0;
	const void *bytes;
	char found[64];
	int tries;

	for (tries = 0;; tries++) {
		swapdisk_forget(&c->disk);
		bytes = swapdisk_page(&c->disk, slot);
		if (bytes && exact && pattern_matches(bytes, id, s->sh->region.first + s->page)) {
			c->report->exact++;
			break;
		}
		if (bytes && !exact && shadow_had(s->sh, bytes, s->page)) {
			c->report->own++;
			break;
		}
		if (exact ? !sample_is_unchanged(s) : sample_entry_changed(s)) {
			c->report->changed++;
			break;
		}
		if (locked && time(NULL) > deadline) {
			if (bytes)
				pattern_describe(bytes, id, found, sizeof(found));
			record_wrong(c, s, "slot %llu holds %s", (unsigned long long)slot,
				     bytes ? found : strerror(errno));
			break;
		}
		if (!locked && tries == UNLOCKED_TRIES) {
			struct timespec ts = { .tv_sec = time(NULL) + LOCKED_SECONDS };

			if (pthread_rwlock_timedwrlock(lock, &ts)) {
				record_wrong(c, s, "change_lock not taken in time");
				break;
			}
			locked = true;
			c->report->locked++;
			deadline = time(NULL) + LOCKED_SECONDS;
		}
		usleep(1000 << (tries < 6 ? tries : 6));
	}
	if (locked)
		pthread_rwlock_unlock(lock);
}

/* A page is seen in swap for the first time since its stretch was changed. */
static void record_slot(struct checker *c, const struct sample *s)
{
	struct known *k = &c->known[s->shadow][s->page];

	k->slot = pm_swap_offset(s->entry);
	k->since = c->report->reads;
	c->holders[k->slot] = holder_of(s);
}

static void check_unchanged(struct checker *c, const struct sample *s)
{
	struct known *k = &c->known[s->shadow][s->page];
	__u64 id = s->sh->ids[s->page];

	/* The id read above is valid only if the stretch is unchanged after it. */
	if (!sample_is_unchanged(s))
		return;
	if (k->slot) {
		if (!sample_is_location(s) || pm_swap_offset(s->entry) != k->slot) {
			record_wrong(c, s, "it is in slot %llu, which it has not left",
				     (unsigned long long)k->slot);
			return;
		}
		c->report->constant++;
	} else if (!id) {
		if (s->entry & ~PM_SOFT_DIRTY)
			record_wrong(c, s, "the page is a hole");
	} else if (sample_is_location(s)) {
		record_slot(c, s);
	} else if (s->v->kind == VIEW_FILE && !s->entry) {
		record_wrong(c, s, "the page has contents");
	}
	if (k->slot && !c->report->wrong && !random_below(c->odds))
		compare_bytes(c, s, true);
}

static void check_entry(struct checker *c, const struct sample *s)
{
	bool located = sample_is_location(s);
	__u32 holder;

	c->report->entries++;
	if (!sample_is_possible(s, c->disk.slots)) {
		record_wrong(c, s, "no shared mapping has such an entry");
		return;
	}
	if (located) {
		c->report->locations++;
		holder = c->holders[pm_swap_offset(s->entry)];
		if (is_held_by_another(c, s, holder)) {
			record_wrong(c, s, "the slot has page %u of file %u, which has not left it",
				     (holder - 1) % SHADOW_PAGES, (holder - 1) / SHADOW_PAGES);
			return;
		}
	}
	if (sample_is_unchanged(s))
		check_unchanged(c, s);
	else if (located && !random_below(c->odds))
		compare_bytes(c, s, false);
}

static int read_once(struct checker *c, const struct checker_view *from)
{
	static const size_t sizes[] = { 1, 3, 16, 100, 512, 513, 2000, SHADOW_PAGES };
	struct sample s = {
		.v = &from->v, .shadow = from->shadow, .sh = &c->args->all->of[from->shadow],
	};
	size_t first = random_below(s.sh->region.pages);
	size_t pages = sizes[random_below(sizeof(sizes) / sizeof(*sizes))];
	__u32 before[SHADOW_STRETCHES];
	size_t i;
	int err;

	if (pages > s.sh->region.pages - first)
		pages = s.sh->region.pages - first;
	for (i = first / STRETCH_PAGES; i * STRETCH_PAGES < first + pages; i++) {
		before[i] = shadow_seq(s.sh, i * STRETCH_PAGES);
		s.seq = before[i];
		s.page = i * STRETCH_PAGES;
		if (c->seq[s.shadow][i] != s.seq)
			forget(c, &s);
	}
	err = view_read(s.v, &s.sh->region, first, pages, c->entries);
	if (err)
		return err;
	c->report->reads++;
	c->odds = 1 + pages / COMPARISONS;
	for (i = 0; i < pages && !c->report->wrong; i++) {
		s.page = first + i;
		s.entry = c->entries[i];
		s.seq = before[s.page / STRETCH_PAGES];
		check_entry(c, &s);
	}
	return 0;
}

int checker_run(const struct checker_args *args)
{
	struct checker *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->args = args;
	c->report = args->report;
	err = swapdisk_open(&c->disk);
	if (!err) {
		c->disk.span = 1;
		c->holders = calloc(c->disk.slots, sizeof(*c->holders));
		err = c->holders ? 0 : -ENOMEM;
	}
	while (!err && !atomic_load(&args->all->stop))
		err = read_once(c, &args->view[random_below(args->views)]);
	swapdisk_close(&c->disk);
	free(c->holders);
	free(c);
	return err;
}
