// SPDX-License-Identifier: GPL-2.0
#include "lib/storm/sample.h"
#include "xpagemap.h"

bool sample_is_possible(const struct sample *s, __u64 slots)
{
	__u64 entry = s->entry & ~PM_SOFT_DIRTY;

	if (!entry)
		return true;
	if (entry & PM_PRESENT)
		return !(entry & (PM_SWAP | PM_GUARD | PM_UFFD)) &&
		       (entry & PM_FILE) && (entry & PM_FRAME);
	if ((entry & ~PM_FRAME) != (PM_SWAP | PM_FILE))
		return false;
	/* A type above that of the one device: a migration entry. */
	return pm_swap_type(entry) ||
	       (pm_swap_offset(entry) && pm_swap_offset(entry) < slots);
}

bool sample_is_location(const struct sample *s)
{
	return pm_is_swap(s->entry) && !pm_swap_type(s->entry);
}

bool sample_is_unchanged(const struct sample *s)
{
	return shadow_unchanged_since(s->sh, s->page, s->seq);
}

bool sample_entry_changed(const struct sample *s)
{
	__u64 entry;

	return view_read(s->v, &s->sh->region, s->page, 1, &entry) ||
	       ((entry ^ s->entry) & ~PM_SOFT_DIRTY);
}
