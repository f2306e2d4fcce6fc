// SPDX-License-Identifier: GPL-2.0
#include "lib/events/traced.h"
#include "lib/memory/region.h"

int traced_open(struct traced *t, pid_t pid)
{
	/* Pages unmapped before are freed before tracing starts. */
	region_drain_batches();
	return exclusive_open(&t->ex, pid) ?: events_start(pid);
}

int traced_child(struct traced *t, struct child *c,
		 int (*body)(struct child *c, void *arg), void *arg)
{
	return child_start(c, body, arg) ?: traced_open(t, c->pid);
}

int traced_again(struct traced *t)
{
	return events_stop(t->ex.pid) ?: events_start(t->ex.pid);
}

int traced_end(struct traced *t)
{
	return events_stop(t->ex.pid) ?: events_read(&t->log, t->ex.pid);
}

int traced_close(struct traced *t)
{
	events_free(&t->log);
	return exclusive_close(&t->ex);
}
