// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/exclusive/kpage.h"

int kpage_open(struct kpage *kp)
{
	kp->flags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	kp->count = open("/proc/kpagecount", O_RDONLY | O_CLOEXEC);
	return kp->flags < 0 || kp->count < 0 ? -errno : 0;
}

void kpage_close(struct kpage *kp)
{
	close(kp->flags);
	close(kp->count);
}

__u64 kpage_flags(const struct kpage *kp, __u64 frame)
{
	__u64 flags = 0;

	if (pread(kp->flags, &flags, sizeof(flags), frame * sizeof(flags)) < 0)
		return 0;
	return flags;
}

long kpage_count(const struct kpage *kp, __u64 frame)
{
	__u64 count;
	ssize_t got = pread(kp->count, &count, sizeof(count), frame * sizeof(count));

	if (got != sizeof(count))
		return got < 0 ? -errno : -ENODATA;
	return count;
}
