/* SPDX-License-Identifier: GPL-2.0 */
/* An entry that was read, and the sequence number of its stretch before the read. */
#ifndef SELFTESTS_SAMPLE_H
#define SELFTESTS_SAMPLE_H

#include "lib/storm/shadow.h"
#include "lib/storm/view.h"

struct sample {
	const struct view *v;
	struct shadow *sh;
	size_t shadow;		/* index of @sh */
	size_t page;
	__u64 entry;
	__u32 seq;		/* of the page's stretch, before the read */
};

/* True if a shared mapping without userfaultfd and guard regions can have this entry. */
bool sample_is_possible(const struct sample *s, __u64 slots);

/* True if it has a slot of the swap device. */
bool sample_is_location(const struct sample *s);

/* True if the stretch has not been changed from before the read until now. */
bool sample_is_unchanged(const struct sample *s);

/* True if the entry differs when read again. */
bool sample_entry_changed(const struct sample *s);

#endif
