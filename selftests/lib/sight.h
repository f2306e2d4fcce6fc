/* SPDX-License-Identifier: GPL-2.0 */
/* One entry as it was read, and the ledger's word for its page from before. */
#ifndef SELFTESTS_SIGHT_H
#define SELFTESTS_SIGHT_H

#include "ledger.h"
#include "outlook.h"

struct sight {
	const struct outlook *o;
	struct ledger *l;
	size_t ledger;		/* its number */
	size_t page;
	__u64 entry;
	__u32 seq;		/* of the page's stretch, before the read */
};

/* Whether a shared mapping without userfaultfd and guards can have this entry. */
bool sight_is_plausible(const struct sight *s, __u64 slots);

/* Whether it names a place on the swap device. */
bool sight_is_location(const struct sight *s);

/* Whether the page has been left alone from before the read until now. */
bool sight_is_calm(const struct sight *s);

/* Whether the entry, read again, is another. */
bool sight_has_changed(const struct sight *s);

#endif
