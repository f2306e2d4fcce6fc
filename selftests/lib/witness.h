/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looks at memory that is being changed, again and again, and holds what it is
 * shown against the ledger and against the bytes on the swap disk. Why what it
 * calls wrong is wrong: see storm.c.
 */
#ifndef SELFTESTS_WITNESS_H
#define SELFTESTS_WITNESS_H

#include <stddef.h>

#include "ledger.h"
#include "outlook.h"
#include "testimony.h"

#define WITNESS_OUTLOOKS 8

struct brief {
	struct ledgers *all;
	size_t outlooks;
	struct witness_outlook {
		struct outlook o;
		size_t ledger;	/* whose region it shows */
	} outlook[WITNESS_OUTLOOKS];
	struct testimony *testimony;	/* shared memory */
};

/*
 * Looks until it is over, or something is wrong. Returns 0, or a negative
 * errno where it could not look.
 */
int witness(const struct brief *b);

#endif
