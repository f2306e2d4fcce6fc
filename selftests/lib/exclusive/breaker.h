/* SPDX-License-Identifier: GPL-2.0 */
/* breaker.ko, which sets or clears a page's PG_anon_exclusive wrongly. */
#ifndef SELFTESTS_BREAKER_H
#define SELFTESTS_BREAKER_H

#include <stdbool.h>
#include <sys/types.h>

/* All return 0 or a negative errno. The module is in the directory of the tested one. */
int breaker_load(void);
int breaker_unload(void);

int breaker_set(pid_t pid, const void *addr, bool exclusive);

#endif
