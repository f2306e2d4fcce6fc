/* SPDX-License-Identifier: GPL-2.0 */
/* Page frames of memory. */
#ifndef SELFTESTS_FRAMES_H
#define SELFTESTS_FRAMES_H

#include <linux/types.h>

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"

/* The frame of a page, 0 if there is none, or EX_ERROR. */
__u64 frame_at(const struct exclusive *ex, const void *addr);

/* Stores the frame of each page of a region. */
void frames_note(const struct exclusive *ex, const struct region *r, __u64 *frames);

/* Number of pages that are in the frames stored before. */
size_t frames_kept(const struct exclusive *ex, const struct region *r,
		   const __u64 *frames);

#endif
