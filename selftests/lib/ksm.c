// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ksm.h"
#include "text.h"

#define KSM		"/sys/kernel/mm/ksm/"
#define WAIT_TRIES	3000
#define WAIT_PAUSE_US	20000

int ksm_start(void)
{
	/* Pages that did not merge at once are to be looked at each time. */
	return write_text(KSM "smart_scan", "0") ?:
	       write_text(KSM "pages_to_scan", "100000") ?:
	       write_text(KSM "sleep_millisecs", "0") ?: write_text(KSM "run", "1");
}

int ksm_stop(void)
{
	return write_text(KSM "run", "2") ?: write_text(KSM "sleep_millisecs", "20") ?:
	       write_text(KSM "pages_to_scan", "100") ?:
	       write_text(KSM "smart_scan", "1") ?: write_text(KSM "run", "0");
}

static long scans(void)
{
	char text[32];
	long err = read_text(KSM "full_scans", text, sizeof(text));

	return err < 0 ? err : atol(text);
}

int ksm_wait(int times)
{
	/* One scan is under way already, and does not count. */
	long until = scans() + times + 1;
	int tries;

	for (tries = 0; tries < WAIT_TRIES && scans() < until; tries++)
		usleep(WAIT_PAUSE_US);
	return tries < WAIT_TRIES ? 0 : -ETIMEDOUT;
}
