// SPDX-License-Identifier: GPL-2.0
#include "lib/exclusive/frames.h"
#include "lib/pagemap/source.h"
#include "xpagemap.h"

__u64 frame_at(const struct exclusive *ex, const void *addr)
{
	__u64 entry;

	if (pagemap_read(ex->proc, addr, &entry, 1) != 1)
		return EX_ERROR;
	return entry & PM_PRESENT ? entry & PM_FRAME : 0;
}

void frames_note(const struct exclusive *ex, const struct region *r, __u64 *frames)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		frames[i] = frame_at(ex, region_page(r, i));
}

size_t frames_kept(const struct exclusive *ex, const struct region *r,
		   const __u64 *frames)
{
	size_t i, kept = 0;

	for (i = 0; i < r->pages; i++)
		kept += frame_at(ex, region_page(r, i)) == frames[i];
	return kept;
}
