/* SPDX-License-Identifier: GPL-2.0 */
/* Long-term pins of memory, as the kernel's own gup_test takes them. */
#ifndef SELFTESTS_PIN_H
#define SELFTESTS_PIN_H

#include <stddef.h>

struct pin {
	int fd;
	size_t pages;
};

/* Without these: read-only, by the slow path alone. */
#define PIN_WRITE	1
#define PIN_FAST	2	/* by GUP-fast first */

/* All return 0 or a negative errno. */
int pin_take(struct pin *pin, const void *addr, size_t pages, unsigned int flags);
int pin_release(struct pin *pin);

/* Copies what is in the pinned pages, not what is mapped now. */
int pin_read(const struct pin *pin, void *buf);

#endif
