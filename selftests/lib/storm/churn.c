// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/storm/churn.h"
#include "lib/system/random.h"
#include "lib/system/text.h"

#define PMD_STRETCHES	(PMD_PAGES / STRETCH_PAGES)
#define SWPOUT		"/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/stats/swpout"

static bool is_stopped(const struct churn *ch)
{
	return atomic_load(&ch->all->stop);
}

/* Every change is between these two. */
static void begin(const struct churn *ch)
{
	pthread_rwlock_rdlock(&ch->all->change_lock);
}

static void end(const struct churn *ch)
{
	pthread_rwlock_unlock(&ch->all->change_lock);
}

static int punch(struct shadow *sh, size_t from, size_t pages)
{
	shadow_punch(sh, from, pages);
	return fallocate(sh->region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 from * PAGE_BYTES, pages * PAGE_BYTES) ? -errno : 0;
}

static void refill(struct shadow *sh, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		shadow_new_contents(sh, i);
	shadow_fill(sh, from, pages);
}

/* Reads a page; not of a hole, which a read fault would fill. */
static int touch(const struct shadow *sh, size_t page)
{
	if (!sh->ids[page] || pattern_matches(region_page(&sh->region, page), sh->ids[page], page))
		return 0;
	return -EBADMSG;
}

/* Changes some or all pages of one stretch. */
static int change_stretch(const struct churn *ch, size_t stretch)
{
	size_t first = stretch * STRETCH_PAGES, at = first + random_below(STRETCH_PAGES);
	struct shadow *sh = ch->sh;
	int err = 0;

	begin(ch);
	shadow_begin_change(sh, first, STRETCH_PAGES);
	switch (random_below(4)) {
	case 0:
		refill(sh, first, STRETCH_PAGES);
		ch->counts->refilled++;
		break;
	case 1:
		err = punch(sh, at, 1 + random_below(first + STRETCH_PAGES - at));
		ch->counts->punched++;
		break;
	default:
		err = touch(sh, at);
		ch->counts->touched++;
	}
	shadow_end_change(sh, first, STRETCH_PAGES);
	end(ch);
	return err;
}

/* True one time in @n, and until the first: a slow machine has time for a few changes only. */
static bool is_due(size_t done, size_t n)
{
	return !done || !random_below(n);
}

/* Changes page tables, or swaps out; the file's contents stay. */
static int change_mapping(const struct churn *ch)
{
	const struct region *r = &ch->sh->region;
	size_t from = random_below(r->pages), pages = 1 + random_below(r->pages - from);
	void *addr = region_page(r, from);
	int err = 0;

	begin(ch);
	switch (ch->counts->paged_out ? random_below(4) : 2) {
	case 0:
		err = madvise(addr, pages * PAGE_BYTES, MADV_DONTNEED);
		ch->counts->zapped++;
		break;
	case 1:
		err = mprotect(addr, pages * PAGE_BYTES, PROT_NONE) ?:
		      mprotect(addr, pages * PAGE_BYTES, PROT_READ | PROT_WRITE);
		ch->counts->protected++;
		break;
	default:
		/* Fails if pages are behind the end of the file. */
		madvise(addr, pages * PAGE_BYTES, MADV_PAGEOUT);
		ch->counts->paged_out++;
	}
	end(ch);
	return err ? -errno : 0;
}

/*
 * Reads the first page that is cut off, so that a large entry there is split: ftruncate()
 * of Linux 7.3 never returns if a large entry begins before the cut.
 */
static int cut_and_regrow(struct shadow *sh, size_t from)
{
	int err = touch(sh, from);

	if (err)
		return err;
	shadow_punch(sh, from, sh->region.pages - from);
	if (ftruncate(sh->region.fd, from * PAGE_BYTES))
		return -errno;
	usleep(random_below(2000));
	return ftruncate(sh->region.fd, sh->region.pages * PAGE_BYTES) ? -errno : 0;
}

static int change_small(const struct churn *ch)
{
	size_t stretches = ch->sh->region.pages / STRETCH_PAGES, stretch;
	struct shadow *sh = ch->sh;
	int err = 0;

	while (!err && !is_stopped(ch)) {
		stretch = random_below(stretches);
		if (!sh->frozen[stretch])
			err = change_stretch(ch, stretch);
		if (!err && is_due(ch->counts->paged_out, 16))
			err = change_mapping(ch);
		/* The last quarter is never frozen. */
		if (!err && is_due(ch->counts->truncated, 256)) {
			size_t from = sh->region.pages * 3 / 4 + random_below(8) * STRETCH_PAGES;

			begin(ch);
			shadow_begin_change(sh, from, sh->region.pages - from);
			err = cut_and_regrow(sh, from);
			shadow_end_change(sh, from, sh->region.pages - from);
			ch->counts->truncated++;
			end(ch);
		}
	}
	return err;
}

static long long whole_folios_swapped(void)
{
	char text[32];

	return read_text(SWPOUT, text, sizeof(text)) < 0 ? 0 : atoll(text);
}

bool churn_block(const struct churn *ch, size_t first)
{
	struct shadow *sh = ch->sh;
	long long before;
	bool left;

	begin(ch);
	cgroup_enter(ch->cg);
	left = punch(sh, first, PMD_PAGES);
	refill(sh, first, PMD_PAGES);
	cgroup_leave();
	end(ch);

	begin(ch);
	before = whole_folios_swapped();
	left |= region_pageout_pages(&sh->region, first, PMD_PAGES);
	ch->counts->whole += whole_folios_swapped() > before;
	end(ch);

	begin(ch);
	left |= cgroup_drop_swap_cache(ch->cg);
	end(ch);
	return !left;
}

/*
 * Splits a large entry, by changes of odd stretches. The even ones are not changed, so
 * their pages keep their slots.
 */
static int split_entry(const struct churn *ch, size_t first)
{
	size_t odd, stretch, i;
	int err = 0;

	for (i = 0; !err && i < 24 && !is_stopped(ch); i++) {
		odd = 1 + 2 * random_below(PMD_STRETCHES / 2);
		stretch = first / STRETCH_PAGES + odd;
		err = change_stretch(ch, stretch);
		ch->counts->split++;
		if (!err && !random_below(8))
			err = change_mapping(ch);
	}
	return err;
}

/* Reads the pages first until one attempt succeeds, which pages in swap may prevent. */
static void collapse_block(const struct churn *ch, size_t first)
{
	const struct shadow *sh = ch->sh;
	size_t i;

	for (i = 0; !ch->counts->collapsed && i < PMD_PAGES; i++)
		touch(sh, first + i);
	if (!madvise(region_page(&sh->region, first), PMD_BYTES, MADV_COLLAPSE))
		ch->counts->collapsed++;
}

/* The first 2 MiB are frozen, and the even stretches of the next. */
static int change_large(const struct churn *ch)
{
	struct shadow *sh = ch->sh;
	size_t blocks = sh->region.pages / PMD_PAGES, block, first, cut;
	int err = 0;

	while (!err && !is_stopped(ch)) {
		block = 1 + random_below(blocks - 1);
		first = block * PMD_PAGES;
		if (block > 1) {
			begin(ch);
			shadow_begin_change(sh, first, PMD_PAGES);
			if (is_due(ch->counts->collapsed, 2))
				collapse_block(ch, first);
			end(ch);
			if (!churn_block(ch, first)) {
				ch->counts->unsettled++;
				continue;
			}
			shadow_end_change(sh, first, PMD_PAGES);
		}
		err = split_entry(ch, first);
		if (!err && block == blocks - 1) {
			cut = first + STRETCH_PAGES * (1 + random_below(PMD_STRETCHES - 1));
			begin(ch);
			shadow_begin_change(sh, cut, sh->region.pages - cut);
			err = cut_and_regrow(sh, cut);
			shadow_end_change(sh, cut, sh->region.pages - cut);
			ch->counts->truncated++;
			end(ch);
		}
	}
	return err;
}

int churn_reclaim(const struct churn *ch, size_t count)
{
	size_t i;

	while (!is_stopped(ch)) {
		begin(ch);
		for (i = 0; i < count; i++) {
			if (i && random_below(8))
				continue;
			cgroup_reclaim(ch[i].cg, (64 + random_below(512)) * PAGE_BYTES);
			ch[i].counts->reclaimed++;
		}
		end(ch);
		usleep(random_below(20000));
	}
	return 0;
}

void churn_counts_print(const struct churn_counts *d, const char *what)
{
	ksft_print_msg("%s: refilled %zu, touched %zu, punched %zu, truncated %zu times\n",
		       what, d->refilled, d->touched, d->punched, d->truncated);
	ksft_print_msg("%s: paged out %zu, reclaimed %zu, zapped %zu, protected %zu times\n",
		       what, d->paged_out, d->reclaimed, d->zapped, d->protected);
	if (d->whole)
		ksft_print_msg("%s: %zu swapped whole, %zu split, %zu collapsed; %zu not settled\n",
			       what, d->whole, d->split, d->collapsed, d->unsettled);
}

int churn_run(const struct churn *ch, bool large)
{
	int err;

	if (large)
		err = change_large(ch);
	else
		err = cgroup_enter(ch->cg) ?: change_small(ch);
	if (err)
		ksft_print_msg("changing a file: %s\n", strerror(-err));
	atomic_store(&ch->all->stop, true);
	return err;
}
