/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cells of `xpagemap watch`: its map on the screen, against /proc/PID/pagemap and cachestat(2).
 */
#ifndef SELFTESTS_CELLS_H
#define SELFTESTS_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/memory/region.h"
#include "lib/system/screen.h"

#define CELLS_HEAD	4	/* lines above the map */
#define CELLS_FOOT	3	/* lines below it, at least */
#define CELLS_LEFT	15	/* columns before the cells */
#define CELLS_LINE	40	/* cells of a line of 80 columns */

/* The letters that private and shared memory have, from source to source. */
struct cells {
	int pagemap;		/* of the process, /proc/PID/pagemap */
	bool no_module;		/* private pages are not told from each other */
	bool no_file;		/* pages of a file that are not mapped are not told */
	bool no_colour;
};

/* The last line: pages or slots of a cell, rows that are shown, and all rows. */
bool cells_last_line(const struct screen *screen, size_t *scale, long *first, long *last,
		     long *all);

/*
 * Scrolls until the region's cells are on the screen, at this scale unless that is 0, and
 * right: letters and colours are those of its pages. False if they never are.
 */
bool cells_find(struct screen *screen, const struct cells *cells, const struct region *r,
		size_t wanted);

/* Notes the letters of the slots that are on the screen, one a cell, below @slots. */
void cells_note(const struct screen *screen, char *letters, size_t slots);

#endif
