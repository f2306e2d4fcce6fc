// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "lib/memory/pattern.h"
#include "lib/storm/shadow.h"

struct shadows *shadows_create(void)
{
	struct shadows *all;
	pthread_rwlockattr_t attr;

	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return NULL;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	/* The writer of the lock must not starve behind its readers. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	if (pthread_rwlock_init(&all->change_lock, &attr)) {
		shadows_destroy(all);
		return NULL;
	}
	return all;
}

void shadows_destroy(struct shadows *all)
{
	if (all)
		munmap(all, sizeof(*all));
}

void shadow_open(struct shadow *sh, const struct region *r)
{
	sh->region = *r;
	sh->region.ids = sh->ids;
}

/* Makes the sequence numbers odd or even. */
static void set_parity(struct shadow *sh, size_t from, size_t pages, __u32 odd)
{
	size_t i;

	for (i = from / STRETCH_PAGES; i * STRETCH_PAGES < from + pages; i++)
		if ((atomic_load(&sh->seq[i]) & 1) != odd)
			atomic_fetch_add(&sh->seq[i], 1);
}

void shadow_begin_change(struct shadow *sh, size_t from, size_t pages)
{
	set_parity(sh, from, pages, 1);
}

void shadow_end_change(struct shadow *sh, size_t from, size_t pages)
{
	set_parity(sh, from, pages, 0);
}

void shadow_new_contents(struct shadow *sh, size_t page)
{
	sh->ids[page] = sh->region.id + ++sh->generation;
}

void shadow_punch(struct shadow *sh, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		sh->ids[i] = 0;
}

void shadow_fill(struct shadow *sh, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		region_fill_page(&sh->region, i);
}

bool shadow_had(const struct shadow *sh, const void *bytes, size_t page)
{
	__u64 id, number;

	if (!pattern_read(bytes, &id, &number))
		return false;
	return number == sh->region.first + page &&
	       id - sh->region.id - 1 < __atomic_load_n(&sh->generation, __ATOMIC_SEQ_CST);
}
