// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "lib/fuzz/input.h"
#include "lib/fuzz/ioctls.h"
#include "lib/memory/region.h"
#include "lib/pagemap/shmemscan.h"
#include "xpagemap.h"

#define SCAN_FLAGS	15ULL
#define SCAN_CATEGORIES	0x7ffULL
#define GUARD		0x5a5a5a5a5a5a5a5aULL

/* Room for results, and behind it words that must not change. */
static union {
	struct page_region scan[FUZZ_REGIONS + 1];
	__u64 read[FUZZ_REGIONS * 8 + 1];
	struct shmem_region shmem[FUZZ_REGIONS + 1];
} out;

static bool is_one_of(long err, const int *errors, size_t count)
{
	while (count--)
		if (err == -errors[count])
			return true;
	return false;
}

#define IS_ONE_OF(err, ...) \
	is_one_of(err, (int[]){ __VA_ARGS__ }, sizeof((int[]){ __VA_ARGS__ }) / sizeof(int))

static bool good(size_t one_in)
{
	return !input_one_in(one_in);
}

static __u64 some_start(const struct arena *a, bool aligned)
{
	__u64 addr = (unsigned long)a->addr + input_below(ARENA_PAGES) * PAGE_BYTES;

	if (input_one_in(12))
		addr = input_edge();
	return aligned ? addr & -PAGE_BYTES : addr + input_below(PAGE_BYTES);
}

static __u64 some_end(__u64 start)
{
	return good(10) ? start + input_below(ARENA_PAGES) * PAGE_BYTES : input_edge();
}

/* The vector: mostly @out, else NULL or memory that is not there. */
static __u64 some_vector(bool *bad)
{
	*bad = input_one_in(15);
	return *bad ? (input_one_in(2) ? 0 : 4096 + input_below(4096)) : (unsigned long)&out;
}

static const char *check_scan(const struct pm_scan_arg *arg, __u64 start, long got)
{
	__u64 at = start, pages = 0;
	long i;

	if ((__u64)got > arg->vec_len)
		return "PAGEMAP_SCAN: more regions than there is room for";
	if (arg->walk_end < start || arg->walk_end > ((arg->end + PAGE_BYTES - 1) & -PAGE_BYTES))
		return "PAGEMAP_SCAN: walk_end outside of the range";
	for (i = 0; i < got; i++) {
		const struct page_region *r = &out.scan[i];

		if (r->start < at || r->end <= r->start || r->end > arg->walk_end)
			return "PAGEMAP_SCAN: a region out of order or outside";
		if ((r->start | r->end) % PAGE_BYTES || (r->categories & ~arg->return_mask))
			return "PAGEMAP_SCAN: a region unaligned, or a category not asked for";
		pages += (r->end - r->start) / PAGE_BYTES;
		at = r->end;
	}
	if (arg->max_pages && pages > arg->max_pages)
		return "PAGEMAP_SCAN: more pages than max_pages";
	return out.scan[FUZZ_REGIONS].start == GUARD ? NULL : "PAGEMAP_SCAN: written behind";
}

const char *fuzz_pagemap_scan(const struct arena *a, int fd, long *result)
{
	bool aligned = good(20), bad;
	struct pm_scan_arg arg = {
		.size = good(20) ? sizeof(arg) : input_edge(),
		.flags = good(20) ? input_below(4) << 2 : input_edge(),
		.start = some_start(a, aligned),
		.vec_len = good(10) ? input_below(FUZZ_REGIONS + 1) : 0,
		.max_pages = good(3) ? 0 : input_below(300),
		.category_inverted = good(3) ? 0 : input_word() & SCAN_CATEGORIES,
		.category_mask = good(3) ? 0 : input_word() & SCAN_CATEGORIES,
		.category_anyof_mask = good(3) ? 0 : input_word() & SCAN_CATEGORIES,
		.return_mask = good(20) ? input_word() & SCAN_CATEGORIES : input_edge(),
		.walk_end = input_word(),
	};
	struct pm_scan_arg before;
	bool malformed;

	/* Protecting pages would change what others see. */
	arg.flags &= ~1ULL;
	arg.end = some_end(arg.start);
	arg.vec = some_vector(&bad);
	before = arg;
	malformed = arg.size != sizeof(arg) || (arg.flags & ~SCAN_FLAGS) ||
		    (arg.return_mask & ~SCAN_CATEGORIES) || arg.start % PAGE_BYTES;
	memset(&out, 0x5a, sizeof(out));
	*result = ioctl(fd, PAGEMAP_SCAN, &arg);
	if (*result < 0)
		*result = -errno;
	if (malformed)
		return *result == -EINVAL ? NULL : "PAGEMAP_SCAN: malformed, and not EINVAL";
	if (*result >= 0)
		return bad && *result ? "PAGEMAP_SCAN: regions without a vector" :
					check_scan(&arg, before.start, *result);
	if (*result == -EFAULT && !bad && before.end >= before.start && before.end < 1ULL << 47)
		return "PAGEMAP_SCAN: EFAULT with a good vector";
	return IS_ONE_OF(*result, EINVAL, EFAULT, EPERM, ENOMEM) ? NULL : "PAGEMAP_SCAN: errno";
}

const char *fuzz_pagemap_read(const struct arena *a, int fd, long *result)
{
	struct pm_read_arg arg = {
		.size = good(20) ? sizeof(arg) : input_edge(),
		.flags = good(20) ? input_below(4) : input_edge(),
		.start = some_start(a, good(20)),
		.vec_len = input_below(FUZZ_REGIONS * 8 + 1),
		.walk_end = input_word(),
	};
	bool bad, malformed;
	long i;

	arg.end = some_end(arg.start);
	arg.vec = some_vector(&bad);
	malformed = arg.size != sizeof(arg) || arg.flags > 3 || arg.start % PAGE_BYTES ||
		    arg.end < arg.start || (!arg.vec && arg.vec_len);
	memset(&out, 0x5a, sizeof(out));
	*result = ioctl(fd, PAGEMAP_READ, &arg);
	if (*result < 0)
		*result = -errno;
	if (malformed)
		return *result == -EINVAL ? NULL : "PAGEMAP_READ: malformed, and not EINVAL";
	if (*result < 0)
		return bad && *result == -EFAULT ? NULL : "PAGEMAP_READ: errno";
	if ((__u64)*result > arg.vec_len || (bad && *result))
		return "PAGEMAP_READ: more entries than there is room for";
	if (arg.walk_end != arg.start + *result * PAGE_BYTES)
		return "PAGEMAP_READ: walk_end does not match the result";
	for (i = 0; i < *result; i++)
		if ((out.read[i] & PM_PRESENT) && (out.read[i] & PM_SWAP))
			return "PAGEMAP_READ: present and in swap";
	return out.read[*result] == GUARD ? NULL : "PAGEMAP_READ: written behind";
}

static const char *check_shmem(const struct shmem_scan_arg *arg, long got)
{
	__u64 at = arg->start, pages = 0;
	__u64 mask = arg->category_mask ?: 15;
	long i;

	if (arg->walk_end < arg->start || arg->walk_end > arg->end)
		return "SHMEM_SCAN: walk_end outside of the range";
	for (i = 0; i < got; i++) {
		const struct shmem_region *r = &out.shmem[i];

		if (r->start < at || r->end <= r->start || r->end > arg->walk_end)
			return "SHMEM_SCAN: a region out of order or outside";
		if (!shmemscan_is_possible(r->categories) || !(r->categories & mask))
			return "SHMEM_SCAN: categories that cannot be, or were not asked for";
		if (r->location && !(arg->flags && r->categories & SHMEM_IS_SWAPPED))
			return "SHMEM_SCAN: a location of a page that has none";
		pages += (r->end - r->start) / PAGE_BYTES;
		at = r->end;
	}
	if (arg->vec_len && pages != arg->pages)
		return "SHMEM_SCAN: another number of pages than in the regions";
	return out.shmem[got].start == GUARD ? NULL : "SHMEM_SCAN: written behind";
}

const char *fuzz_shmem_scan(const struct arena *a, int fd, long *result)
{
	struct {
		struct shmem_scan_arg arg;
		__u64 more;
	} s = {
		.arg = {
			.size = good(10) ? sizeof(s.arg) :
				input_one_in(2) ? sizeof(s) : input_edge(),
			.flags = good(20) ? input_below(2) : input_edge(),
			.start = good(20) ? input_below(FILE_PAGES) * PAGE_BYTES : input_edge(),
			.vec_len = good(5) ? input_below(FUZZ_REGIONS + 1) : 0,
			.category_mask = good(20) ? input_below(16) : input_edge(),
			.pages = input_word(),
		},
		.more = input_below(2),
	};
	bool bad, malformed, more;

	(void)a;
	s.arg.end = good(20) ? s.arg.start + input_below(FILE_PAGES) * PAGE_BYTES : input_edge();
	if (input_one_in(10))
		s.arg.end = ~0ULL;
	s.arg.vec = some_vector(&bad);
	more = s.arg.size > sizeof(s.arg);
	malformed = s.arg.size < sizeof(s.arg) || s.arg.flags > 1 || s.arg.category_mask > 15 ||
		    s.arg.start % PAGE_BYTES || s.arg.start > s.arg.end ||
		    (s.arg.end % PAGE_BYTES && s.arg.end != ~0ULL) ||
		    (!s.arg.vec && s.arg.vec_len);
	memset(&out, 0x5a, sizeof(out));
	*result = ioctl(fd, SHMEM_SCAN, &s.arg);
	if (*result < 0)
		*result = -errno;
	if (more && s.arg.size != sizeof(s))
		return IS_ONE_OF(*result, E2BIG, EFAULT, EINVAL) ? NULL : "SHMEM_SCAN: size";
	if (more && s.more)
		return *result == -E2BIG ? NULL : "SHMEM_SCAN: an unknown field is set, not E2BIG";
	if (malformed)
		return *result == -EINVAL ? NULL : "SHMEM_SCAN: malformed, and not EINVAL";
	if (*result < 0)
		return bad && *result == -EFAULT ? NULL : "SHMEM_SCAN: errno";
	if ((__u64)*result > s.arg.vec_len || (bad && *result))
		return "SHMEM_SCAN: more regions than there is room for";
	return check_shmem(&s.arg, *result);
}
