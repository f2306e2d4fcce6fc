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
#include "lib/storm/random.h"
#include "lib/storm/sample.h"
#include "lib/swap/swapdisk.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define COMPARISONS	20	/* with the disk, per read */
#define PATIENCE	4	/* looks at the disk before asking for silence */
#define SILENCE_SECONDS	60	/* after that, no write can be under way */

/* What is known of a page for as long as its stretch is calm. */
struct known {
	__u64 slot;		/* 0: not seen in swap */
	size_t since;		/* the number of the read that told */
};

struct checker {
	const struct brief *b;
	struct report *t;
	struct swapdisk disk;
	__u32 *holders;		/* by slot: 1 + the page known to be there */
	__u32 seq[SHADOWS][SHADOW_STRETCHES];
	struct known known[SHADOWS][SHADOW_PAGES];
	__u64 entries[SHADOW_PAGES];
	size_t odds;		/* one in so many locations is read from the disk */
};

static void __printf(3, 4) wrong(struct checker *w, const struct sample *s,
				 const char *fmt, ...)
{
	struct report *t = w->t;
	va_list args;
	int len, more;
	size_t i;

	atomic_store(&w->b->all->over, true);
	if (t->wrong++)
		return;
	len = snprintf(t->first, sizeof(t->first), "file %zu, page %zu reads %#018llx in %s: ",
		       s->shadow, s->page, (unsigned long long)s->entry,
		       view_name(s->o));
	va_start(args, fmt);
	more = vsnprintf(t->first + len, sizeof(t->first) - len, fmt, args);
	va_end(args);
	/* What all say of it a moment later: has it gone, or never been? */
	for (i = 0; i < w->b->views; i++) {
		const struct checker_view *other = &w->b->view[i];
		__u64 entry = 0;

		len += more;
		more = 0;
		if (other->shadow != s->shadow || len >= (int)sizeof(t->first))
			continue;
		view_read(&other->o, &s->l->region, s->page, 1, &entry);
		more = snprintf(t->first + len, sizeof(t->first) - len, "; %s %s %#018llx",
				view_name(&other->o),
				&other->o == s->o ? "again" : "says", entry);
	}
}

static __u32 as_holder(const struct sample *s)
{
	return 1 + s->shadow * SHADOW_PAGES + s->page;
}

/*
 * Whether another page was at the entry's slot all through the read. Seen there
 * in this very read, it may have come just after a page that was changed left.
 */
static bool is_taken(const struct checker *w, const struct sample *s, __u32 holder)
{
	size_t shadow = (holder - 1) / SHADOW_PAGES, page = (holder - 1) % SHADOW_PAGES;

	return holder && holder != as_holder(s) &&
	       (sample_is_calm(s) || w->known[shadow][page].since < w->t->reads) &&
	       shadow_calm_since(&w->b->all->of[shadow], page,
				 w->seq[shadow][page / STRETCH_PAGES]);
}

static void forget(struct checker *w, const struct sample *s)
{
	size_t first = s->page - s->page % STRETCH_PAGES, i;

	for (i = first; i < first + STRETCH_PAGES; i++) {
		struct known *k = &w->known[s->shadow][i];

		if (w->holders[k->slot] == 1 + s->shadow * SHADOW_PAGES + i)
			w->holders[k->slot] = 0;
		*k = (struct known){};
	}
	w->seq[s->shadow][s->page / STRETCH_PAGES] = s->seq;
}

/*
 * Finds a location's bytes on the disk: with @exact those that the shadow has
 * for a calm page, else any that the page has had.
 */
static void compare(struct checker *w, const struct sample *s, bool exact)
{
	pthread_rwlock_t *work = &w->b->all->work;
	__u64 slot = pm_swap_offset(s->entry);
	__u64 id = s->l->ids[s->page];
	bool silence = false;
	time_t deadline = 0;
	const void *bytes;
	char found[64];
	int tries;

	for (tries = 0;; tries++) {
		swapdisk_forget(&w->disk);
		bytes = swapdisk_page(&w->disk, slot);
		if (bytes && exact && pattern_matches(bytes, id, s->l->region.first + s->page)) {
			w->t->exact++;
			break;
		}
		if (bytes && !exact && shadow_knows(s->l, bytes, s->page)) {
			w->t->own++;
			break;
		}
		if (exact ? !sample_is_calm(s) : sample_has_changed(s)) {
			w->t->ambiguous++;
			break;
		}
		if (silence && time(NULL) > deadline) {
			if (bytes)
				pattern_describe(bytes, id, found, sizeof(found));
			wrong(w, s, "slot %llu holds %s", (unsigned long long)slot,
			      bytes ? found : strerror(errno));
			break;
		}
		if (!silence && tries == PATIENCE) {
			struct timespec ts = { .tv_sec = time(NULL) + SILENCE_SECONDS };

			if (pthread_rwlock_timedwrlock(work, &ts)) {
				wrong(w, s, "no silence to be had");
				break;
			}
			silence = true;
			w->t->silences++;
			deadline = time(NULL) + SILENCE_SECONDS;
		}
		usleep(1000 << (tries < 6 ? tries : 6));
	}
	if (silence)
		pthread_rwlock_unlock(work);
}

/* A page seen in swap for the first time since its stretch is calm. */
static void take_note(struct checker *w, const struct sample *s)
{
	struct known *k = &w->known[s->shadow][s->page];

	k->slot = pm_swap_offset(s->entry);
	k->since = w->t->reads;
	w->holders[k->slot] = as_holder(s);
}

static void examine_calm(struct checker *w, const struct sample *s)
{
	struct known *k = &w->known[s->shadow][s->page];
	__u64 id = s->l->ids[s->page];

	/* Only now is it certain that the above was true for as long. */
	if (!sample_is_calm(s))
		return;
	if (k->slot) {
		if (!sample_is_location(s) || pm_swap_offset(s->entry) != k->slot) {
			wrong(w, s, "it was in slot %llu, and has not left it",
			      (unsigned long long)k->slot);
			return;
		}
		w->t->constant++;
	} else if (!id) {
		if (s->entry & ~PM_SOFT_DIRTY)
			wrong(w, s, "there is a hole");
	} else if (sample_is_location(s)) {
		take_note(w, s);
	} else if (s->o->kind == VIEW_FILE && !s->entry) {
		wrong(w, s, "there is a page");
	}
	if (k->slot && !w->t->wrong && !random_below(w->odds))
		compare(w, s, true);
}

static void examine(struct checker *w, const struct sample *s)
{
	bool located = sample_is_location(s);
	__u32 holder;

	w->t->entries++;
	if (!sample_is_plausible(s, w->disk.slots)) {
		wrong(w, s, "no such entry");
		return;
	}
	if (located) {
		w->t->locations++;
		holder = w->holders[pm_swap_offset(s->entry)];
		if (is_taken(w, s, holder)) {
			wrong(w, s, "that slot is page %u's of file %u, which has not left it",
			      (holder - 1) % SHADOW_PAGES, (holder - 1) / SHADOW_PAGES);
			return;
		}
	}
	if (sample_is_calm(s))
		examine_calm(w, s);
	else if (located && !random_below(w->odds))
		compare(w, s, false);
}

static int look(struct checker *w, const struct checker_view *from)
{
	static const size_t sizes[] = { 1, 3, 16, 100, 512, 513, 2000, SHADOW_PAGES };
	struct sample s = {
		.o = &from->o, .shadow = from->shadow, .l = &w->b->all->of[from->shadow],
	};
	size_t first = random_below(s.l->region.pages);
	size_t pages = sizes[random_below(sizeof(sizes) / sizeof(*sizes))];
	__u32 before[SHADOW_STRETCHES];
	size_t i;
	int err;

	if (pages > s.l->region.pages - first)
		pages = s.l->region.pages - first;
	for (i = first / STRETCH_PAGES; i * STRETCH_PAGES < first + pages; i++) {
		before[i] = shadow_seq(s.l, i * STRETCH_PAGES);
		s.seq = before[i];
		s.page = i * STRETCH_PAGES;
		if (w->seq[s.shadow][i] != s.seq)
			forget(w, &s);
	}
	err = view_read(s.o, &s.l->region, first, pages, w->entries);
	if (err)
		return err;
	w->t->reads++;
	w->odds = 1 + pages / COMPARISONS;
	for (i = 0; i < pages && !w->t->wrong; i++) {
		s.page = first + i;
		s.entry = w->entries[i];
		s.seq = before[s.page / STRETCH_PAGES];
		examine(w, &s);
	}
	return 0;
}

int checker_run(const struct brief *b)
{
	struct checker *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->b = b;
	w->t = b->report;
	err = swapdisk_open(&w->disk);
	if (!err) {
		w->disk.span = 1;
		w->holders = calloc(w->disk.slots, sizeof(*w->holders));
		err = w->holders ? 0 : -ENOMEM;
	}
	while (!err && !atomic_load(&b->all->over))
		err = look(w, &b->view[random_below(b->views)]);
	swapdisk_close(&w->disk);
	free(w->holders);
	free(w);
	return err;
}
