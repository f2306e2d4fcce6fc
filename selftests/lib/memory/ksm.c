// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/memory/ksm.h"
#include "lib/system/text.h"

#define KSM		"/sys/kernel/mm/ksm/"
#define WAIT_TRIES	3000
#define WAIT_PAUSE_US	20000

int ksm_start(struct ksm *ksm)
{
	/* smart_scan would skip pages that did not merge at once. */
	static const struct {
		const char *path, *value;
	} wanted[KSM_SETTINGS] = {
		{ KSM "smart_scan", "0" },
		{ KSM "pages_to_scan", "100000" },
		{ KSM "sleep_millisecs", "0" },
		{ KSM "run", "1" },
	};
	int i, err = 0;

	for (i = 0; i < KSM_SETTINGS && !err; i++)
		err = setting_change(&ksm->settings[i], wanted[i].path, wanted[i].value);
	return err;
}

int ksm_pause(void)
{
	return write_text(KSM "run", "0");
}

int ksm_stop(struct ksm *ksm)
{
	int i, err = write_text(KSM "run", "2");

	for (i = 0; i < KSM_SETTINGS && !err; i++)
		err = setting_restore(&ksm->settings[i]);
	return err;
}

static long scans(void)
{
	char text[32];
	long err = read_text(KSM "full_scans", text, sizeof(text));

	return err < 0 ? err : atol(text);
}

int ksm_wait(int times)
{
	/* The scan under way does not count. */
	long until = scans() + times + 1;
	int tries;

	for (tries = 0; tries < WAIT_TRIES && scans() < until; tries++)
		usleep(WAIT_PAUSE_US);
	return tries < WAIT_TRIES ? 0 : -ETIMEDOUT;
}
