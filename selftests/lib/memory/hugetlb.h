/* SPDX-License-Identifier: GPL-2.0 */
/* Private hugetlb memory. */
#ifndef SELFTESTS_HUGETLB_H
#define SELFTESTS_HUGETLB_H

#include <stddef.h>

#include "lib/memory/region.h"
#include "lib/system/setting.h"

/*
 * Sets the size of the pool, for setting_restore() to put back. Returns 0 or a negative
 * errno, -ENOMEM if memory is too fragmented for so many huge pages.
 */
int hugetlb_reserve(struct setting *pool, unsigned int huge_pages);

/* Maps @pages small pages of it, filled. Returns 0 or a negative errno. */
int hugetlb_map(struct region *r, size_t pages);

#endif
