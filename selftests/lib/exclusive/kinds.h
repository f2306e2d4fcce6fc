/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kinds of memory that a process can have, and what PID/exclusive must say of each,
 * since the test knows what it has done to it.
 */
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
	unsigned int steps;	/* that follow the mapping */
	__u64 state;		/* the bits of EX_STATE */
};

#define KINDS 19

extern const struct kind memory_kinds[KINDS];

/* What some kinds take from the kernel for a while. */
struct kinds_state {
	struct pin pin;
	struct ksm ksm;
	struct setting huge_pages;
};

/*
 * Maps memory of a kind and takes the steps that come before a fork. Returns 0 or a
 * negative errno.
 */
int kind_make(const struct kind *k, struct region *r, struct kinds_state *state);

/* Takes those that come after. */
void kind_after_fork(const struct kind *k, struct region *r);

/* Gives that back. Returns 0 or a negative errno. */
int kinds_unmake(struct kinds_state *state);

/* What the entry of page @i must say. */
__u64 kind_state(const struct kind *k, size_t i);

#endif
