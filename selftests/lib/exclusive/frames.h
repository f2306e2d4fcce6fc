/* SPDX-License-Identifier: GPL-2.0 */
/* The page frames behind memory, and whether they are still the same ones. */
#ifndef SELFTESTS_FRAMES_H
#define SELFTESTS_FRAMES_H

#include <linux/types.h>

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"

/* The frame of one page, 0 where there is none, or EX_ERROR. */
__u64 frame_at(const struct exclusive *ex, const void *addr);

/* Notes the frames of all pages of a region, in an array as long as that. */
void frames_note(const struct exclusive *ex, const struct region *r, __u64 *frames);

/* How many pages are still in the frames noted. */
size_t frames_kept(const struct exclusive *ex, const struct region *r,
		   const __u64 *frames);

#endif
