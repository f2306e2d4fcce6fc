/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that a process locks, so that kswapd must reclaim other memory. */
#ifndef SELFTESTS_HOG_H
#define SELFTESTS_HOG_H

#include <stdbool.h>
#include <stddef.h>

#define HOG_STEP	(16UL << 20)

struct hog {
	unsigned char *addr;
	size_t bytes, taken;	/* of address space, as much as is free; locked */
};

/* Maps it, with nothing locked yet. Returns 0 or a negative errno. */
int hog_open(struct hog *h);

/* Locks HOG_STEP bytes more. Returns false if it cannot, or if all is locked. */
bool hog_takes(struct hog *h);

/* Gives HOG_STEP bytes back, if any are locked. */
void hog_gives_back(struct hog *h);

void hog_close(struct hog *h);

/* A line of /proc/meminfo in bytes, or 0. */
size_t meminfo_bytes(const char *key);

#endif
