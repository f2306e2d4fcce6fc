/* SPDX-License-Identifier: GPL-2.0 */
/* userfaultfd, UFFDIO_COPY and UFFDIO_MOVE. */
#ifndef SELFTESTS_UFFD_H
#define SELFTESTS_UFFD_H

#include <stddef.h>

#include "lib/memory/region.h"

/*
 * A userfaultfd for the missing pages of @r. An access to one raises SIGBUS, or EFAULT in a
 * system call. Returns a file descriptor or a negative errno.
 */
int uffd_watch(const struct region *r);

/*
 * Move or copy @pages pages to an address where nothing is mapped; a move goes on after
 * EAGAIN. Return the number of pages, or a negative errno if there are none.
 */
long uffd_move(int fd, void *to, const void *from, size_t pages);
long uffd_copy(int fd, void *to, const void *from, size_t pages);

#endif
