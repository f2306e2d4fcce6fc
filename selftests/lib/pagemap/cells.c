// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/pagemap/cells.h"
#include "lib/pagemap/source.h"
#include "xpagemap.h"

#define PATIENCE 120 /* seconds */

/* The letter of a page by /proc/PID/pagemap, and for a file cachestat(). */
static char page_letter(const struct cells *cells, const struct region *r, size_t i)
{
	__u64 entry;

	if (pagemap_read(cells->pagemap, region_page(r, i), &entry, 1) != 1)
		return '?';
	if (r->fd >= 0) {
		int state = region_state(r, i);

		if (entry & PM_PRESENT)
			return 'F';
		if (cells->no_file)
			return '.';
		return state == PAGE_SWAPPED ? 'W' : state == PAGE_RESIDENT ? 'M' : '.';
	}
	if (entry & PM_SWAP)
		return 'S';
	if (!(entry & PM_PRESENT))
		return '.';
	return cells->no_module ? 'P' : entry & PM_MMAP_EXCLUSIVE ? 'E' : 'C';
}

/* The letter of a cell: of most of its pages, and of several the first in the legend. */
static char cell_letter(const struct cells *cells, const struct region *r, size_t first,
			size_t pages)
{
	static const char legend[] = "ECPFSWM";
	size_t counts[sizeof(legend)] = {}, most = 0;

	for (size_t i = first; i < first + pages; i++) {
		const char *found = strchr(legend, page_letter(cells, r, i));

		if (found)
			counts[found - legend]++;
	}
	for (size_t i = 1; i < strlen(legend); i++)
		if (counts[i] > counts[most])
			most = i;
	if (!counts[most])
		return '.';
	return counts[most] == pages ? legend[most] : legend[most] + 'a' - 'A';
}

/* Green, yellow, blue, red, cyan; none where no page is. */
static int letter_colour(char letter)
{
	switch (letter | 0x20) {
	case 'e':
	case 'p':
		return 2;
	case 'c':
		return 3;
	case 'f':
		return 4;
	case 's':
	case 'w':
		return 1;
	case 'm':
		return 6;
	default:
		return SCREEN_PLAIN;
	}
}

bool cells_last_line(const struct screen *screen, size_t *scale, long *first, long *last,
		     long *all)
{
	const char *found = strstr(screen->text[SCREEN_LINES - 1], "arrows");

	/* Rows of a pass that goes on are not all there. */
	if (!found || strstr(screen->text[0], " %"))
		return false;
	return sscanf(found, "arrows %zu %*s a cell, rows %ld-%ld of %ld", scale, first, last,
		      all) == 4;
}

/* True if all cells of the region are on the screen, from @line on, and are right. */
static bool cells_are_right(const struct screen *screen, const struct cells *cells,
			    const struct region *r, int line, size_t scale)
{
	size_t first, cell;

	for (first = 0, cell = 0; first < r->pages; first += scale, cell++) {
		size_t pages = first + scale < r->pages ? scale : r->pages - first;
		char letter = cell_letter(cells, r, first, pages);
		int x = CELLS_LEFT + cell % CELLS_LINE, y = line + cell / CELLS_LINE;

		if (y >= SCREEN_LINES - CELLS_FOOT || screen->text[y][x] != letter ||
		    screen->colours[y][x] !=
			    (cells->no_colour ? SCREEN_PLAIN : letter_colour(letter)))
			return false;
	}
	return true;
}

/* The line of the region's first cells, or 0. */
static int line_of(const struct screen *screen, const struct region *r)
{
	char address[32];

	snprintf(address, sizeof(address), "%14lx ", (unsigned long)r->addr);
	for (int line = CELLS_HEAD; line < SCREEN_LINES - CELLS_FOOT; line++)
		if (!strncmp(screen->text[line], address, strlen(address)))
			return line;
	return 0;
}

/* By screens to its first line, then until that is the uppermost or the last row is there. */
bool cells_find(struct screen *screen, const struct cells *cells, const struct region *r,
		size_t wanted)
{
	static const char rows[] = "jjjjjjjjjjjjjjjjjjjj";
	time_t end = time(NULL) + PATIENCE;
	long first, last, all, pressed = -1;
	size_t scale;

	screen_type(screen, "g");
	while (time(NULL) < end && screen_read(screen, 100)) {
		if (!cells_last_line(screen, &scale, &first, &last, &all) ||
		    (wanted && wanted != scale))
			continue;
		int line = line_of(screen, r);
		const char *keys = line ? rows + strlen(rows) + CELLS_HEAD - line :
				   last < all ? " " : "g";

		if (line && cells_are_right(screen, cells, r, line, scale))
			return true;
		if (first == pressed || line == CELLS_HEAD || (line && last == all))
			continue;
		if (screen_type(screen, keys))
			return false;
		pressed = first;
	}
	return false;
}

void cells_note(const struct screen *screen, char *letters, size_t slots)
{
	for (int y = CELLS_HEAD; y < SCREEN_LINES - CELLS_FOOT; y++) {
		const char *line = screen->text[y];
		size_t slot = strtoul(line, NULL, 10);

		/* Lines below the last row are empty. */
		if (!isdigit(line[CELLS_LEFT - 2]))
			return;
		for (size_t x = 0; x < CELLS_LINE && slot + x < slots; x++)
			letters[slot + x] = line[CELLS_LEFT + x];
	}
}
