/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shadow of memory that is changed while others look at it: which pages
 * are being changed, and what the others hold. It is shared by all processes
 * that take part; one of them writes it for each file, all read it.
 *
 * A stretch of pages is calm while its sequence number is even: its writer
 * leaves its pages alone, and nothing that others do moves a page of it that is
 * in swap. The kernel may still swap out what is in memory.
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
	bool frozen[SHADOW_STRETCHES];	/* never changed at all */
	atomic_uint seq[SHADOW_STRETCHES];	/* odd: being changed */
};

struct shadows {
	pthread_rwlock_t work;	/* whoever changes anything holds it for reading */
	atomic_bool over;	/* everybody is to end */
	struct shadow of[SHADOWS];
};

/* Memory for all children; NULL if there is none. */
struct shadows *shadows_create(void);
void shadows_destroy(struct shadows *all);

/* A new entry in the shadow for @r, whose pages are holes. */
void shadow_open(struct shadow *l, const struct region *r);

/* Pages of these stretches are about to be changed; are as the shadow says. */
void shadow_disturb(struct shadow *l, size_t from, size_t pages);
void shadow_settle(struct shadow *l, size_t from, size_t pages);

/* What is to be in a page from now on: new contents, or nothing. */
void shadow_renew(struct shadow *l, size_t page);
void shadow_punch(struct shadow *l, size_t from, size_t pages);

/* Writes what the shadow says to memory. */
void shadow_fill(struct shadow *l, size_t from, size_t pages);

/* Whether these bytes are, or once were, what that page holds. */
bool shadow_knows(const struct shadow *l, const void *bytes, size_t page);

static inline __u32 shadow_seq(const struct shadow *l, size_t page)
{
	return atomic_load(&l->seq[page / STRETCH_PAGES]);
}

static inline bool shadow_calm_since(const struct shadow *l, size_t page, __u32 seq)
{
	return !(seq & 1) && shadow_seq(l, page) == seq;
}

#endif
