// SPDX-License-Identifier: GPL-2.0
#include "kselftest.h"
#include "lib/exclusive/crosscheck.h"
#include "lib/pagemap/source.h"
#include "xpagemap.h"

#define SHOWN 5

static bool is_large(__u64 flags)
{
	return kpage_has(flags, KPF_COMPOUND_HEAD) || kpage_has(flags, KPF_COMPOUND_TAIL);
}

static const char *check_present(__u64 entry, __u64 flags, long count)
{
	if (!!(entry & EX_ZERO) != kpage_has(flags, KPF_ZERO_PAGE))
		return "the zero bit is wrong";
	if (entry & EX_ZERO)
		return entry & ~(EX_PRESENT | EX_ZERO | EX_WRITABLE | EX_PMD) ?
		       "a zero page has bits that it must not have" : NULL;
	if (!!(entry & EX_FILE) == kpage_has(flags, KPF_ANON))
		return "the file bit is wrong";
	if (!!(entry & EX_LARGE) != is_large(flags))
		return "the bit of large folios is wrong";
	if (entry & EX_FILE)
		return entry & ~(EX_PRESENT | EX_FILE | EX_WRITABLE | EX_LARGE | EX_PMD) ?
		       "a file's page has bits that it must not have" : NULL;
	if (!kpage_has(flags, KPF_COMPOUND_TAIL) &&
	    !!(entry & EX_EXCLUSIVE) != kpage_exclusive(flags))
		return "the exclusive bit is wrong";
	if (!!(entry & EX_KSM) != kpage_has(flags, KPF_KSM))
		return "the KSM bit is wrong";
	if (!!(entry & EX_SWAP_CACHE) != kpage_has(flags, KPF_SWAPCACHE))
		return "the bit of the swap cache is wrong";
	if (ex_map_count(entry) != (count < EX_COUNT_MAX ? count : EX_COUNT_MAX))
		return "the map count is wrong";
	if (ex_references(entry) < 1)
		return "no references";
	return NULL;
}

const char *crosscheck_page(const struct exclusive *ex, const struct kpage *kp,
			    const void *addr)
{
	__u64 entry = exclusive_at(ex, addr), pagemap, frame;

	if (entry == EX_ERROR || pagemap_read(ex->proc, addr, &pagemap, 1) != 1)
		return "not readable";
	if (entry & EX_UNUSED)
		return "unused bits are set";
	if (!!(entry & EX_PRESENT) != !!(pagemap & PM_PRESENT))
		return "the present bit is wrong";
	if (entry & EX_PRESENT) {
		frame = pagemap & PM_FRAME;
		return check_present(entry, kpage_flags(kp, frame),
				     kpage_count(kp, frame));
	}
	if (!!(entry & EX_SWAP) != (pm_is_swap(pagemap) && !(pagemap & PM_FILE)))
		return "the swap bit is wrong";
	if (!(entry & (EX_SWAP | EX_MIGRATION | EX_FILE)) && entry)
		return "bits of a page are set, but there is none";
	return NULL;
}

size_t crosscheck_count(const struct exclusive *ex, const struct kpage *kp,
			const struct region *r, __u64 state, unsigned int mapped)
{
	size_t i, count = 0, shown = 0;

	for (i = 0; i < r->pages; i++) {
		__u64 entry = exclusive_at(ex, region_page(r, i));
		const char *wrong = crosscheck_page(ex, kp, region_page(r, i));
		char text[256];

		if (!wrong && (entry & EX_STATE) == state && ex_map_count(entry) == mapped) {
			count++;
		} else if (shown++ < SHOWN) {
			exclusive_describe(entry, text, sizeof(text));
			ksft_print_msg("page %zu: %s%s%s\n", i, text, wrong ? ": " : "",
				       wrong ?: "");
		}
	}
	return count;
}
