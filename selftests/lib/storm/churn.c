// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/storm/churn.h"
#include "lib/storm/random.h"
#include "lib/system/text.h"

#define SWPOUT "/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/stats/swpout"

static bool is_over(const struct churning *ch)
{
	return atomic_load(&ch->all->over);
}

/* Nothing changes but between these two. */
static void begin(const struct churning *ch)
{
	pthread_rwlock_rdlock(&ch->all->work);
}

static void end(const struct churning *ch)
{
	pthread_rwlock_unlock(&ch->all->work);
}

static int punch(struct shadow *l, size_t from, size_t pages)
{
	shadow_punch(l, from, pages);
	return fallocate(l->region.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 from * PAGE_BYTES, pages * PAGE_BYTES) ? -errno : 0;
}

static void refill(struct shadow *l, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		shadow_renew(l, i);
	shadow_fill(l, from, pages);
}

/* A touch of what is a hole would make it one no longer. */
static int touch(const struct shadow *l, size_t page)
{
	if (!l->ids[page] || pattern_matches(region_page(&l->region, page), l->ids[page], page))
		return 0;
	return -EBADMSG;
}

/* Changes some or all pages of a stretch, and of no other. */
static int change_stretch(const struct churning *ch, size_t stretch)
{
	size_t first = stretch * STRETCH_PAGES, at = first + random_below(STRETCH_PAGES);
	struct shadow *l = ch->l;
	int err = 0;

	begin(ch);
	shadow_disturb(l, first, STRETCH_PAGES);
	switch (random_below(4)) {
	case 0:
		refill(l, first, STRETCH_PAGES);
		ch->deeds->refilled++;
		break;
	case 1:
		err = punch(l, at, 1 + random_below(first + STRETCH_PAGES - at));
		ch->deeds->punched++;
		break;
	default:
		err = touch(l, at);
		ch->deeds->touched++;
	}
	shadow_settle(l, first, STRETCH_PAGES);
	end(ch);
	return err;
}

/* What moves pages, or hides them, without the file's losing or gaining any. */
static int change_mapping(const struct churning *ch)
{
	const struct region *r = &ch->l->region;
	size_t from = random_below(r->pages), pages = 1 + random_below(r->pages - from);
	void *addr = region_page(r, from);
	int err = 0;

	begin(ch);
	switch (random_below(4)) {
	case 0:
		err = madvise(addr, pages * PAGE_BYTES, MADV_DONTNEED);
		ch->deeds->zapped++;
		break;
	case 1:
		err = mprotect(addr, pages * PAGE_BYTES, PROT_NONE) ?:
		      mprotect(addr, pages * PAGE_BYTES, PROT_READ | PROT_WRITE);
		ch->deeds->protected++;
		break;
	default:
		/* Fails where pages lie behind the file's end. */
		madvise(addr, pages * PAGE_BYTES, MADV_PAGEOUT);
		ch->deeds->paged_out++;
	}
	end(ch);
	return err ? -errno : 0;
}

/*
 * To be cut, a large entry must be split first, by a touch at the cut: 7.3's
 * ftruncate() never returns from one that begins before the cut.
 */
static int cut_and_regrow(struct shadow *l, size_t from)
{
	int err = touch(l, from);

	if (err)
		return err;
	shadow_punch(l, from, l->region.pages - from);
	if (ftruncate(l->region.fd, from * PAGE_BYTES))
		return -errno;
	usleep(random_below(2000));
	return ftruncate(l->region.fd, l->region.pages * PAGE_BYTES) ? -errno : 0;
}

int churn_small(const struct churning *ch)
{
	size_t stretches = ch->l->region.pages / STRETCH_PAGES, stretch;
	struct shadow *l = ch->l;
	int err = 0;

	while (!err && !is_over(ch)) {
		stretch = random_below(stretches);
		if (!l->frozen[stretch])
			err = change_stretch(ch, stretch);
		if (!err && !random_below(16))
			err = change_mapping(ch);
		/* The last quarter is never frozen. */
		if (!err && !random_below(256)) {
			size_t from = l->region.pages * 3 / 4 + random_below(8) * STRETCH_PAGES;

			begin(ch);
			shadow_disturb(l, from, l->region.pages - from);
			err = cut_and_regrow(l, from);
			shadow_settle(l, from, l->region.pages - from);
			ch->deeds->truncated++;
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

bool churn_block(const struct churning *ch, size_t first)
{
	struct shadow *l = ch->l;
	long long before;
	bool left;

	begin(ch);
	cgroup_enter(ch->cg);
	left = punch(l, first, PMD_PAGES);
	refill(l, first, PMD_PAGES);
	cgroup_leave();
	end(ch);

	begin(ch);
	before = whole_folios_swapped();
	left |= region_pageout_pages(&l->region, first, PMD_PAGES);
	ch->deeds->whole += whole_folios_swapped() > before;
	end(ch);

	begin(ch);
	left |= cgroup_drop_swap_cache(ch->cg);
	end(ch);
	return !left;
}

/*
 * From one piece in swap to many. The even stretches stay as they are: so do
 * their pages' slots, while what is between them is taken out of their midst.
 */
static int take_apart(const struct churning *ch, size_t first)
{
	size_t stretch, i;
	int err = 0;

	for (i = 0; !err && i < 24 && !is_over(ch); i++) {
		stretch = first / STRETCH_PAGES + 1 + 2 * random_below(PMD_PAGES / STRETCH_PAGES / 2);
		err = change_stretch(ch, stretch);
		ch->deeds->split++;
		if (!err && !random_below(8))
			err = change_mapping(ch);
	}
	return err;
}

/* The first 2 MiB are frozen as a whole, the next but for the odd stretches. */
int churn_large(const struct churning *ch)
{
	struct shadow *l = ch->l;
	size_t blocks = l->region.pages / PMD_PAGES, block, first, cut;
	int err = 0;

	while (!err && !is_over(ch)) {
		block = 1 + random_below(blocks - 1);
		first = block * PMD_PAGES;
		if (block > 1) {
			begin(ch);
			shadow_disturb(l, first, PMD_PAGES);
			if (random_below(2) &&
			    !madvise(region_page(&l->region, first), PMD_BYTES, MADV_COLLAPSE))
				ch->deeds->collapsed++;
			end(ch);
			if (!churn_block(ch, first)) {
				ch->deeds->unsettled++;
				continue;
			}
			shadow_settle(l, first, PMD_PAGES);
		}
		err = take_apart(ch, first);
		if (!err && block == blocks - 1) {
			cut = first + STRETCH_PAGES * (1 + random_below(PMD_PAGES / STRETCH_PAGES - 1));
			begin(ch);
			shadow_disturb(l, cut, l->region.pages - cut);
			err = cut_and_regrow(l, cut);
			shadow_settle(l, cut, l->region.pages - cut);
			ch->deeds->truncated++;
			end(ch);
		}
	}
	return err;
}

int churn_reclaim(const struct churning *ch, size_t count)
{
	size_t i;

	while (!is_over(ch)) {
		begin(ch);
		for (i = 0; i < count; i++) {
			if (i && random_below(8))
				continue;
			cgroup_reclaim(ch[i].cg, (64 + random_below(512)) * PAGE_BYTES);
			ch[i].deeds->reclaimed++;
		}
		end(ch);
		usleep(random_below(20000));
	}
	return 0;
}

void deeds_print(const struct deeds *d, const char *what)
{
	ksft_print_msg("%s: refilled %zu, touched %zu, punched %zu, truncated %zu times\n",
		       what, d->refilled, d->touched, d->punched, d->truncated);
	ksft_print_msg("%s: paged out %zu, reclaimed %zu, zapped %zu, protected %zu times\n",
		       what, d->paged_out, d->reclaimed, d->zapped, d->protected);
	if (d->whole)
		ksft_print_msg("%s: %zu swapped whole, %zu split, %zu collapsed; %zu not settled\n",
			       what, d->whole, d->split, d->collapsed, d->unsettled);
}
