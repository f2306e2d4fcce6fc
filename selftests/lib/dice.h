/* SPDX-License-Identifier: GPL-2.0 */
/* Chance, another in every process. */
#ifndef SELFTESTS_DICE_H
#define SELFTESTS_DICE_H

#include <stddef.h>

/* Less than @sides. */
size_t dice(size_t sides);

#endif
