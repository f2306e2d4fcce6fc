/* SPDX-License-Identifier: GPL-2.0 */
/* Pseudo-random numbers, seeded in each process. */
#ifndef SELFTESTS_RANDOM_H
#define SELFTESTS_RANDOM_H

#include <stddef.h>

/* A number below @limit. */
size_t random_below(size_t limit);

#endif
