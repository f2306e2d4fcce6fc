/* SPDX-License-Identifier: GPL-2.0 */
/* What /proc/kpageflags and /proc/kpagecount say of a page frame. */
#ifndef SELFTESTS_KPAGE_H
#define SELFTESTS_KPAGE_H

#include <linux/kernel-page-flags.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * PG_anon_exclusive shares its bit with PG_owner_2, and that is what is exported:
 * of a large folio always the head's (tools/mm/page-types.c reads it likewise).
 */
#define KPF_OWNER_2 34

struct kpage {
	int flags, count;	/* file descriptors */
};

/* Returns 0 or a negative errno. */
int kpage_open(struct kpage *kp);
void kpage_close(struct kpage *kp);

/* Zero where it cannot be read: no page in use has no flags. */
__u64 kpage_flags(const struct kpage *kp, __u64 frame);

/* How often the page is mapped, or a negative errno. */
long kpage_count(const struct kpage *kp, __u64 frame);

static inline bool kpage_has(__u64 flags, int bit)
{
	return flags >> bit & 1;
}

/* The exclusive bit of the page, or of its folio's head. */
static inline bool kpage_exclusive(__u64 flags)
{
	return kpage_has(flags, KPF_ANON) && kpage_has(flags, KPF_OWNER_2);
}

#endif
