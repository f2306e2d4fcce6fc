/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entries of PID/exclusive against what the kernel says of the same pages by other
 * means: /proc/PID/pagemap, /proc/kpageflags, /proc/kpagecount.
 */
#ifndef SELFTESTS_CROSSCHECK_H
#define SELFTESTS_CROSSCHECK_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/exclusive/exclusive.h"
#include "lib/exclusive/kpage.h"
#include "lib/memory/region.h"

/* The bits in which crosscheck_count() compares. */
#define EX_STATE (EX_PRESENT | EX_SWAP | EX_FILE | EX_EXCLUSIVE | EX_MAYBE_PINNED | \
		  EX_WRITABLE | EX_KSM)

/* An anonymous page that is the process's alone. */
#define EX_OWN (EX_PRESENT | EX_EXCLUSIVE | EX_WRITABLE)

/*
 * What is wrong with the entry of the page at @addr, in words; NULL if nothing is. The
 * exclusive bit of a large folio's tails is not compared: kpageflags has
 * the head's for all.
 */
const char *crosscheck_page(const struct exclusive *ex, const struct kpage *kp,
			    const void *addr);

/*
 * How many pages are in @state and mapped @mapped times, with nothing wrong; the first
 * that are otherwise are printed.
 */
size_t crosscheck_count(const struct exclusive *ex, const struct kpage *kp,
			const struct region *r, __u64 state, unsigned int mapped);

#endif
