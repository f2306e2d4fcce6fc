/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares entries of PID/exclusive with those of the same pages in /proc/PID/pagemap,
 * /proc/kpageflags and /proc/kpagecount.
 */
#ifndef SELFTESTS_CROSSCHECK_H
#define SELFTESTS_CROSSCHECK_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/exclusive/exclusive.h"
#include "lib/exclusive/kpage.h"
#include "lib/memory/region.h"

/* Bits that crosscheck_count() compares. */
#define EX_STATE (EX_PRESENT | EX_SWAP | EX_FILE | EX_EXCLUSIVE | EX_MAYBE_PINNED | \
		  EX_WRITABLE | EX_KSM)

/* An exclusive page. */
#define EX_OWN (EX_PRESENT | EX_EXCLUSIVE | EX_WRITABLE)

/*
 * Returns NULL if the entry of the page at @addr agrees, else the mistake in words. The
 * exclusive bit is compared for the first page of a large folio only: kpageflags has
 * that for all of them.
 */
const char *crosscheck_page(const struct exclusive *ex, const struct kpage *kp,
			    const void *addr);

/*
 * Number of pages that agree, are in @state and mapped @mapped times; prints the first
 * others.
 */
size_t crosscheck_count(const struct exclusive *ex, const struct kpage *kp,
			const struct region *r, __u64 state, unsigned int mapped);

#endif
