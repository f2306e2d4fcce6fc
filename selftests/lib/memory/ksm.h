/* SPDX-License-Identifier: GPL-2.0 */
/* KSM, switched on for a test. */
#ifndef SELFTESTS_KSM_H
#define SELFTESTS_KSM_H

#include "lib/system/setting.h"

#define KSM_SETTINGS 4

struct ksm {
	struct setting settings[KSM_SETTINGS];
};

/* All return 0 or a negative errno. Starts to scan, without pauses. */
int ksm_start(struct ksm *ksm);

/* Stops the scan; merged pages stay merged. */
int ksm_pause(void);

/* Unmerges all pages and restores the settings. No effect if never started. */
int ksm_stop(struct ksm *ksm);

/* Waits for @times full scans. */
int ksm_wait(int times);

#endif
