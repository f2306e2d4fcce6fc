/* SPDX-License-Identifier: GPL-2.0 */
/* One entry as it was read, and the shadow's word for its page from before. */
#ifndef SELFTESTS_SAMPLE_H
#define SELFTESTS_SAMPLE_H

#include "lib/storm/shadow.h"
#include "lib/storm/view.h"

struct sample {
	const struct view *o;
	struct shadow *l;
	size_t shadow;		/* its number */
	size_t page;
	__u64 entry;
	__u32 seq;		/* of the page's stretch, before the read */
};

/* Whether a shared mapping without userfaultfd and guards can have this entry. */
bool sample_is_plausible(const struct sample *s, __u64 slots);

/* Whether it names a place on the swap device. */
bool sample_is_location(const struct sample *s);

/* Whether the page has been left alone from before the read until now. */
bool sample_is_calm(const struct sample *s);

/* Whether the entry, read again, is another. */
bool sample_has_changed(const struct sample *s);

#endif
