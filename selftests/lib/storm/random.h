/* SPDX-License-Identifier: GPL-2.0 */
/* Chance, another in every process. */
#ifndef SELFTESTS_RANDOM_H
#define SELFTESTS_RANDOM_H

#include <stddef.h>

/* Less than @sides. */
size_t random_below(size_t sides);

#endif
