/* SPDX-License-Identifier: GPL-2.0 */
/* Has the kernel move a page to another frame, wherever it is mapped. */
#ifndef SELFTESTS_MIGRATE_H
#define SELFTESTS_MIGRATE_H

#include "lib/exclusive/exclusive.h"

/*
 * Takes the page's frame out of use, so that its contents must move, and gives it
 * back then. A large folio is split first. Returns 0 or a negative errno, -EBUSY or
 * -EIO where the page cannot move.
 */
int migrate_page(const struct exclusive *ex, void *addr);

#endif
