/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow of a file that one process changes while others read its state: contents of each
 * page, and sequence numbers of the stretches that are being changed. It is in memory
 * shared by all processes of the test.
 *
 * While a stretch's sequence number is even, its writer does not change its pages, and
 * nothing that other processes do moves a page of it that is in swap. The kernel may
 * still swap out pages of it that are in memory.
 */
#ifndef SELFTESTS_SHADOW_H
#define SELFTESTS_SHADOW_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/memory/region.h"

#define STRETCH_PAGES		16
#define SHADOW_PAGES		4096
#define SHADOW_STRETCHES	(SHADOW_PAGES / STRETCH_PAGES)
#define SHADOWS			2

struct shadow {
	struct region region;	/* at the same address in every process */
	__u64 generation;	/* of the contents written last */
	__u64 ids[SHADOW_PAGES];	/* contents by page, 0 for a hole */
	bool frozen[SHADOW_STRETCHES];	/* never changed */
	atomic_uint seq[SHADOW_STRETCHES];	/* odd: being changed */
};

struct shadows {
	pthread_rwlock_t change_lock;	/* held for reading during every change */
	atomic_bool stop;	/* all processes are to end */
	atomic_bool unread;	/* scanners read no bytes */
	struct shadow of[SHADOWS];
};

/* Shared memory for all children, or NULL. */
struct shadows *shadows_create(void);
void shadows_destroy(struct shadows *all);

/* Begins the shadow of @r, whose pages are holes. */
void shadow_open(struct shadow *sh, const struct region *r);

/* Make the sequence numbers of all stretches with these pages odd, or even. */
void shadow_begin_change(struct shadow *sh, size_t from, size_t pages);
void shadow_end_change(struct shadow *sh, size_t from, size_t pages);

/* Record new contents of a page, or holes; memory is not written. */
void shadow_new_contents(struct shadow *sh, size_t page);
void shadow_punch(struct shadow *sh, size_t from, size_t pages);

/* Writes the recorded contents to memory. */
void shadow_fill(struct shadow *sh, size_t from, size_t pages);

/* True if these bytes are contents that the page has now or had before. */
bool shadow_had(const struct shadow *sh, const void *bytes, size_t page);

static inline __u32 shadow_seq(const struct shadow *sh, size_t page)
{
	return atomic_load(&sh->seq[page / STRETCH_PAGES]);
}

static inline bool shadow_unchanged_since(const struct shadow *sh, size_t page, __u32 seq)
{
	return !(seq & 1) && shadow_seq(sh, page) == seq;
}

#endif
