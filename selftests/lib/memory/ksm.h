/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's merging of equal pages, switched on for a test. */
#ifndef SELFTESTS_KSM_H
#define SELFTESTS_KSM_H

#include "lib/system/setting.h"

#define KSM_SETTINGS 4

struct ksm {
	struct setting settings[KSM_SETTINGS];
};

/* All return 0 or a negative errno. Scans without a pause from now on. */
int ksm_start(struct ksm *ksm);

/* Goes on no more, and leaves what is merged as it is. */
int ksm_pause(void);

/* Takes apart all that was merged. Has no effect where it was never started. */
int ksm_stop(struct ksm *ksm);

/* Waits until all memory has been scanned @times times. */
int ksm_wait(int times);

#endif
