/* SPDX-License-Identifier: GPL-2.0 */
/* userfaultfd's ways to put pages into memory: copies, and pages from elsewhere. */
#ifndef SELFTESTS_UFFD_H
#define SELFTESTS_UFFD_H

#include <stddef.h>

#include "lib/memory/region.h"

/*
 * A userfaultfd for the missing pages of @r. Who touches one gets a signal, or EFAULT
 * in a system call. Returns it or a negative errno.
 */
int uffd_watch(const struct region *r);

/*
 * Moves @pages pages to where nothing is, or copies them. Where they are moved one
 * by one, it goes on as long as it is told to try again. Returns how many got there,
 * or a negative errno if none.
 */
long uffd_move(int fd, void *to, const void *from, size_t pages);
long uffd_copy(int fd, void *to, const void *from, size_t pages);

#endif
