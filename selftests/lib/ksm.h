/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's merging of equal pages, switched on for a test. */
#ifndef SELFTESTS_KSM_H
#define SELFTESTS_KSM_H

#include "region.h"

/* Scans without a pause from now on. Returns 0 or a negative errno. */
int ksm_start(void);

/* Stops, and takes apart all that was merged. Returns 0 or a negative errno. */
int ksm_stop(void);

/* Waits until all memory has been scanned @times times. 0 or a negative errno. */
int ksm_wait(int times);

#endif
