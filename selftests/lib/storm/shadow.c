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
	/* Who wants silence must not wait for ever behind those who work. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	if (pthread_rwlock_init(&all->work, &attr)) {
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

void shadow_open(struct shadow *l, const struct region *r)
{
	l->region = *r;
	l->region.ids = l->ids;
}

/* Makes the sequence numbers odd or even; those that are so already stay. */
static void make(struct shadow *l, size_t from, size_t pages, __u32 odd)
{
	size_t i;

	for (i = from / STRETCH_PAGES; i * STRETCH_PAGES < from + pages; i++)
		if ((atomic_load(&l->seq[i]) & 1) != odd)
			atomic_fetch_add(&l->seq[i], 1);
}

void shadow_disturb(struct shadow *l, size_t from, size_t pages)
{
	make(l, from, pages, 1);
}

void shadow_settle(struct shadow *l, size_t from, size_t pages)
{
	make(l, from, pages, 0);
}

void shadow_renew(struct shadow *l, size_t page)
{
	l->ids[page] = l->region.id + ++l->generation;
}

void shadow_punch(struct shadow *l, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		l->ids[i] = 0;
}

void shadow_fill(struct shadow *l, size_t from, size_t pages)
{
	size_t i;

	for (i = from; i < from + pages; i++)
		region_fill_page(&l->region, i);
}

bool shadow_knows(const struct shadow *l, const void *bytes, size_t page)
{
	__u64 id, number;

	if (!pattern_read(bytes, &id, &number))
		return false;
	return number == l->region.first + page &&
	       id - l->region.id - 1 < __atomic_load_n(&l->generation, __ATOMIC_SEQ_CST);
}
