// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "kselftest.h"
#include "lib/memory/pattern.h"
#include "lib/pagemap/place.h"
#include "lib/pagemap/swapmap.h"

static const char * const names[PLACE_KINDS] = {
	"absent", "disk", "zero", "zswap", "cache", "none",
};

static enum place_kind kind_of(const char *name)
{
	enum place_kind kind = PLACE_DISK;

	while (kind < PLACE_KINDS && strcmp(names[kind], name))
		kind++;
	return kind;
}

static void store(size_t page, const struct run *run, __u64 of_run, void *arg)
{
	struct swap_place *places = arg;

	places[page] = (struct swap_place){
		kind_of(run->place), run->type, run->offset + of_run,
	};
}

/* The region begins at @start in units of @unit. */
static int read_places(int fd, const struct region *r, __u64 start, __u64 unit,
		       struct swap_place *places)
{
	memset(places, 0, r->pages * sizeof(*places));
	return swapmap_visit(fd, start, unit, r->pages, store, places);
}

int places_of(const struct region *r, pid_t pid, struct swap_place *places)
{
	return read_places(swapmap_open(pid), r, (unsigned long)r->addr, PAGE_BYTES, places);
}

int places_of_file(const struct region *r, const char *id, struct swap_place *places)
{
	return read_places(swapmap_open_file(id), r, r->first, 1, places);
}

size_t places_count(const struct swap_place *places, size_t pages, enum place_kind kind)
{
	size_t i, count = 0;

	for (i = 0; i < pages; i++)
		count += places[i].kind == kind;
	return count;
}

void places_print(const struct swap_place *places, size_t pages)
{
	enum place_kind kind;

	for (kind = 0; kind < PLACE_KINDS; kind++)
		ksft_print_msg("%zu %s\n", places_count(places, pages, kind), names[kind]);
}

long places_on_disk(const struct region *r, const struct swap_place *places)
{
	struct swaps swaps;
	const void *bytes;
	long found = 0;
	size_t i;
	int err = swaps_open(&swaps);

	if (err)
		return err;
	for (i = 0; i < r->pages; i++) {
		if (places[i].kind != PLACE_DISK)
			continue;
		bytes = swaps_page(&swaps, places[i].type, places[i].offset);
		found += bytes && pattern_matches(bytes, region_id(r, i), r->first + i);
	}
	swaps_close(&swaps);
	return found;
}
