/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ledger of memory that is changed while others look at it: which pages
 * are being changed, and what the others hold. It is shared by all processes
 * that take part; one of them writes it for each file, all read it.
 *
 * A stretch of pages is calm while its sequence number is even: its writer
 * leaves its pages alone, and nothing that others do moves a page of it that is
 * in swap. The kernel may still swap out what is in memory.
 */
#ifndef SELFTESTS_LEDGER_H
#define SELFTESTS_LEDGER_H

#include <pthread.h>
#include <stdatomic.h>

#include "region.h"

#define STRETCH_PAGES		16
#define LEDGER_PAGES		4096
#define LEDGER_STRETCHES	(LEDGER_PAGES / STRETCH_PAGES)
#define LEDGERS			2

struct ledger {
	struct region region;	/* at the same address in every process */
	__u64 generation;	/* of the contents written last */
	__u64 ids[LEDGER_PAGES];	/* contents by page, 0 for a hole */
	bool frozen[LEDGER_STRETCHES];	/* never changed at all */
	atomic_uint seq[LEDGER_STRETCHES];	/* odd: being changed */
};

struct ledgers {
	pthread_rwlock_t work;	/* whoever changes anything holds it for reading */
	atomic_bool over;	/* everybody is to end */
	struct ledger of[LEDGERS];
};

/* Memory for all children; NULL if there is none. */
struct ledgers *ledgers_create(void);
void ledgers_destroy(struct ledgers *all);

/* A new entry in the ledger for @r, whose pages are holes. */
void ledger_open(struct ledger *l, const struct region *r);

/* Pages of these stretches are about to be changed; are as the ledger says. */
void ledger_disturb(struct ledger *l, size_t from, size_t pages);
void ledger_settle(struct ledger *l, size_t from, size_t pages);

/* What is to be in a page from now on: new contents, or nothing. */
void ledger_renew(struct ledger *l, size_t page);
void ledger_punch(struct ledger *l, size_t from, size_t pages);

/* Writes what the ledger says to memory. */
void ledger_fill(struct ledger *l, size_t from, size_t pages);

/* Whether these bytes are, or once were, what that page holds. */
bool ledger_knows(const struct ledger *l, const void *bytes, size_t page);

static inline __u32 ledger_seq(const struct ledger *l, size_t page)
{
	return atomic_load(&l->seq[page / STRETCH_PAGES]);
}

static inline bool ledger_calm_since(const struct ledger *l, size_t page, __u32 seq)
{
	return !(seq & 1) && ledger_seq(l, page) == seq;
}

#endif
