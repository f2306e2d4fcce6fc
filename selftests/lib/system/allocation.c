// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/system/allocation.h"
#include "lib/system/text.h"

#define TRACING	"/sys/kernel/tracing"
#define EVENTS	TRACING "/events/kmem"

static const char * const events[] = { "kmalloc", "kmem_cache_alloc" };

static int set_events(const char *filter, const char *enable)
{
	char path[128];
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(events) / sizeof(*events) && !err; i++) {
		snprintf(path, sizeof(path), EVENTS "/%s/filter", events[i]);
		err = write_text(path, "%s", filter);
		snprintf(path, sizeof(path), EVENTS "/%s/enable", events[i]);
		err = err ?: write_text(path, "%s", enable);
	}
	return err;
}

int allocation_watch(void)
{
	char filter[64];
	int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	return set_events(filter, "1");
}

long long allocation_bytes(void)
{
	int err = set_events("0", "0");
	long long bytes = 0;
	char line[1024], *at;
	FILE *trace;

	if (err)
		return err;
	trace = fopen(TRACING "/trace", "r");
	if (!trace)
		return -errno;
	while (fgets(line, sizeof(line), trace)) {
		at = strstr(line, "bytes_alloc=");
		if (at)
			bytes += strtoll(at + strlen("bytes_alloc="), NULL, 10);
	}
	fclose(trace);
	return bytes;
}
