/* SPDX-License-Identifier: GPL-2.0 */
/* Long-term pins of memory, by the kernel's gup_test. */
#ifndef SELFTESTS_PIN_H
#define SELFTESTS_PIN_H

#include <stdbool.h>
#include <stddef.h>

struct pin {
	int fd;
	bool taken;
};

/* Without these: for reading, by the slow path alone. */
#define PIN_WRITE	1
#define PIN_FAST	2	/* by GUP-fast first */

/* All return 0 or a negative errno. */
int pin_take(struct pin *pin, const void *addr, size_t pages, unsigned int flags);
/* No effect on a pin that is all zeroes, or released. */
int pin_release(struct pin *pin);

/* Copies the contents of the pinned pages, whether they are still mapped or not. */
int pin_read(const struct pin *pin, void *buf);

#endif
