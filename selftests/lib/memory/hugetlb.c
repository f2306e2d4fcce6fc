// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/memory/hugetlb.h"
#include "lib/system/text.h"

#define POOL "/proc/sys/vm/nr_hugepages"

int hugetlb_reserve(struct setting *pool, unsigned int huge_pages)
{
	char text[32];
	long len;
	int err;

	snprintf(text, sizeof(text), "%u", huge_pages);
	err = setting_change(pool, POOL, text);
	if (err)
		return err;
	len = read_text(POOL, text, sizeof(text));
	if (len < 0)
		return len;
	return strtoul(text, NULL, 10) == huge_pages ? 0 : -ENOMEM;
}

int hugetlb_map(struct region *r, size_t pages)
{
	int err = region_map(r, NULL, pages, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (!err)
		region_fill(r);
	return err;
}
