/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of xpagemap for the tests: every path and every bit is defined here once,
 * independently of the module's definitions.
 */
#ifndef SELFTESTS_XPAGEMAP_H
#define SELFTESTS_XPAGEMAP_H

#include <linux/types.h>
#include <stdbool.h>

#define XPAGEMAP_DIR		"/sys/kernel/debug/xpagemap"
#define XPAGEMAP_ATTACH		XPAGEMAP_DIR "/attach"
#define XPAGEMAP_DETACH		XPAGEMAP_DIR "/detach"
#define XPAGEMAP_ATTACH_FD	XPAGEMAP_DIR "/attach_fd"
#define XPAGEMAP_DETACH_FD	XPAGEMAP_DIR "/detach_fd"
#define XPAGEMAP_ATTACH_FILE	XPAGEMAP_DIR "/attach_file"
#define XPAGEMAP_SHMEM		XPAGEMAP_DIR "/shmem"
#define XPAGEMAP_SLOTS		XPAGEMAP_DIR "/slots"
#define XPAGEMAP_STATS		XPAGEMAP_DIR "/stats"

#define PM_BIT(n)		(1ULL << (n))
#define PM_MASK(high, low)	((~0ULL >> (63 - (high))) & (~0ULL << (low)))

/* An entry of PID/pagemap. */
#define PM_PRESENT		PM_BIT(63)
#define PM_SWAP			PM_BIT(62)
#define PM_FILE			PM_BIT(61)
#define PM_GUARD		PM_BIT(58)
#define PM_UFFD			PM_BIT(57)
#define PM_MMAP_EXCLUSIVE		PM_BIT(56)
#define PM_SOFT_DIRTY		PM_BIT(55)
#define PM_FRAME		PM_MASK(54, 0)
#define PM_SWAP_TYPE		PM_MASK(4, 0)
#define PM_SWAP_OFFSET		PM_MASK(54, 5)
#define PM_SWAP_OFFSET_SHIFT	5

/* The swap type and offset of entries without a page: uffd-wp, poison, guard markers. */
#define PM_MARKER_TYPE		31
#define PM_MARKER_UFFD_WP	1

/* An entry of PID/exclusive. */
#define EX_PRESENT		PM_BIT(63)
#define EX_SWAP			PM_BIT(62)
#define EX_FILE			PM_BIT(61)
#define EX_EXCLUSIVE		PM_BIT(60)
#define EX_MAYBE_PINNED		PM_BIT(59)
#define EX_WRITABLE		PM_BIT(58)
#define EX_KSM			PM_BIT(57)
#define EX_LARGE		PM_BIT(56)
#define EX_PMD			PM_BIT(55)	/* or hugetlb */
#define EX_SWAP_CACHE		PM_BIT(54)
#define EX_MIGRATION		PM_BIT(53)
#define EX_ZERO			PM_BIT(52)
#define EX_UNUSED		PM_MASK(51, 32)
#define EX_REFERENCES		PM_MASK(31, 16)
#define EX_REFERENCES_SHIFT	16
#define EX_MAP_COUNT		PM_MASK(15, 0)
#define EX_COUNT_MAX		65535

/* An entry of slots. */
#define SLOT_FREE		0	/* or there is no such slot, or its page is lost */
#define SLOT_DISK		1
#define SLOT_ZERO		2
#define SLOT_ZSWAP		3
#define SLOT_CACHE		4
#define SLOTS_TYPE_SHIFT	32	/* above it in an entry's number: the swap type */

#define PM_ENTRY_BYTES		8

/* /proc/PID/pagemap: definitions that the installed headers do not have. */
#define PM_SCAN_SHMEM_SWAP	PM_BIT(2)
#define PM_SCAN_SHMEM_CACHE	PM_BIT(3)
#define PAGE_IS_CACHED		PM_BIT(10)
#define PM_READ_SHMEM_SWAP	PM_BIT(0)
#define PM_READ_SHMEM_CACHE	PM_BIT(1)
#define PM_CACHED		PM_BIT(60)	/* with PM_READ_SHMEM_CACHE */
#define PAGEMAP_READ		_IOWR('f', 18, struct pm_read_arg)
#define PAGEMAP_SYSCTL		"/proc/sys/vm/pagemap_shmem_swap"

struct pm_read_arg {
	__u64 size;
	__u64 flags;
	__u64 start;
	__u64 end;
	__u64 vec;
	__u64 vec_len;
	__u64 walk_end;
};

static inline unsigned int pm_swap_type(__u64 entry)
{
	return entry & PM_SWAP_TYPE;
}

/* The slot, in pages from the beginning of the swap device. */
static inline __u64 pm_swap_offset(__u64 entry)
{
	return (entry & PM_SWAP_OFFSET) >> PM_SWAP_OFFSET_SHIFT;
}

/* Swapped by its flags; markers have the same flags. */
static inline bool pm_is_swap(__u64 entry)
{
	return (entry & (PM_PRESENT | PM_SWAP)) == PM_SWAP;
}

static inline bool pm_is_marker(__u64 entry)
{
	return (entry & (PM_PRESENT | PM_SWAP | PM_FILE)) == PM_SWAP &&
	       pm_swap_type(entry) == PM_MARKER_TYPE;
}

/* No page: only bits of the VMA or of a marker may be set. */
static inline bool pm_is_nothing(__u64 entry)
{
	return !(entry & ~(PM_SOFT_DIRTY | PM_UFFD));
}

static inline unsigned int ex_references(__u64 entry)
{
	return (entry & EX_REFERENCES) >> EX_REFERENCES_SHIFT;
}

static inline unsigned int ex_map_count(__u64 entry)
{
	return entry & EX_MAP_COUNT;
}

#endif
