/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel module: loads and unloads it. */
#ifndef SELFTESTS_KMODULE_H
#define SELFTESTS_KMODULE_H

#include <stdbool.h>

/* Both return 0 or a negative errno. */
int module_unload(void);

/* The module that the environment names as XPAGEMAP_MODULE, by default build/patched's. */
int module_load(void);

bool module_is_loaded(void);

#endif
