/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of memory that a process can have, and the entries that PID/exclusive must have. */
#ifndef SELFTESTS_KINDS_H
#define SELFTESTS_KINDS_H

#include <linux/types.h>
#include <stddef.h>

#include "lib/memory/ksm.h"
#include "lib/memory/pin.h"
#include "lib/memory/region.h"

struct kind {
	const char *name;
	int (*map)(struct region *r, size_t pages);
	size_t pages;
	unsigned int steps;	/* enum step, after the mapping */
	__u64 state;		/* bits of EX_STATE */
};

#define KINDS 19

extern const struct kind memory_kinds[KINDS];

/* Pins and settings of some kinds, to be undone. */
struct kinds_state {
	struct pin pin;
	struct ksm ksm;
	struct setting huge_pages;
};

/* Maps memory of a kind and does the steps before a fork. Returns 0 or a negative errno. */
int kind_make(const struct kind *k, struct region *r, struct kinds_state *state);

/* Does the steps after the fork. */
void kind_after_fork(const struct kind *k, struct region *r);

/* Releases the pin and restores the settings. Returns 0 or a negative errno. */
int kinds_unmake(struct kinds_state *state);

/* Bits of EX_STATE that page @i must have. */
__u64 kind_state(const struct kind *k, size_t i);

#endif
