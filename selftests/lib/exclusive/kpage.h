/* SPDX-License-Identifier: GPL-2.0 */
/* A page frame's entries in /proc/kpageflags and /proc/kpagecount. */
#ifndef SELFTESTS_KPAGE_H
#define SELFTESTS_KPAGE_H

#include <linux/kernel-page-flags.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * PG_anon_exclusive shares its bit with PG_owner_2, which is exported, for all pages of a
 * large folio that of the first (tools/mm/page-types.c decodes it likewise).
 */
#define KPF_OWNER_2 34

struct kpage {
	int flags, count;	/* file descriptors */
};

/* Returns 0 or a negative errno. */
int kpage_open(struct kpage *kp);
void kpage_close(struct kpage *kp);

/* 0 on error: the flags of a page in use are not 0. */
__u64 kpage_flags(const struct kpage *kp, __u64 frame);

/* Number of mappings of the page, or a negative errno. */
long kpage_count(const struct kpage *kp, __u64 frame);

static inline bool kpage_has(__u64 flags, int bit)
{
	return flags >> bit & 1;
}

/* PG_anon_exclusive of the page, or of its folio's first page. */
static inline bool kpage_exclusive(__u64 flags)
{
	return kpage_has(flags, KPF_ANON) && kpage_has(flags, KPF_OWNER_2);
}

#endif
