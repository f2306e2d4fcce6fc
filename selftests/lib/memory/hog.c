// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>

#include "lib/memory/hog.h"
#include "lib/system/text.h"

size_t meminfo_bytes(const char *key)
{
	long long kb = read_value("/proc/meminfo", key);

	return kb < 0 ? 0 : kb << 10;
}

int hog_open(struct hog *h)
{
	h->taken = 0;
	h->bytes = meminfo_bytes("MemFree");
	h->addr = mmap(NULL, h->bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (h->addr == MAP_FAILED) {
		h->addr = NULL;
		return -errno;
	}
	return 0;
}

bool hog_takes(struct hog *h)
{
	if (h->taken + HOG_STEP > h->bytes || mlock(h->addr + h->taken, HOG_STEP))
		return false;
	h->taken += HOG_STEP;
	return true;
}

void hog_gives_back(struct hog *h)
{
	if (!h->taken)
		return;
	h->taken -= HOG_STEP;
	munlock(h->addr + h->taken, HOG_STEP);
	madvise(h->addr + h->taken, HOG_STEP, MADV_DONTNEED);
}

void hog_close(struct hog *h)
{
	if (h->addr)
		munmap(h->addr, h->bytes);
	h->addr = NULL;
}
