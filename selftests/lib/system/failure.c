// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/system/failure.h"
#include "lib/system/setting.h"

#define DEBUGFS "/sys/kernel/debug/"

static const struct {
	const char *path, *value;
} wanted[] = {
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ DEBUGFS "fail_usercopy/verbose", "0" },
};

static struct setting settings[ARRAY_SIZE(wanted)];
static int fail_nth = -1;

int failures_prepare(void)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		err = setting_change(&settings[i], wanted[i].path, wanted[i].value);
		if (err)
			return err;
	}
	fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return fail_nth < 0 ? -errno : 0;
}

int failures_restore(void)
{
	int err = 0, one;
	size_t i;

	if (fail_nth >= 0)
		close(fail_nth);
	fail_nth = -1;
	for (i = 0; i < ARRAY_SIZE(settings); i++) {
		one = setting_restore(&settings[i]);
		err = err ?: one;
	}
	return err;
}

int failure_begin(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fail_nth, text, len, 0) == len ? 0 : -errno;
}

int failure_end(void)
{
	char text[16] = "";
	int reached;

	/* This copy may itself be the one that fails. */
	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
		reached = errno == EFAULT ? 0 : -errno;
	else
		reached = !atoi(text);
	/* So may this one, once. */
	if (failure_begin(0) && failure_begin(0))
		return -EBUSY;
	return reached;
}
