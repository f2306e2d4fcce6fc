/* SPDX-License-Identifier: GPL-2.0 */
/* A target that is traced from its attachment on. */
#ifndef SELFTESTS_TRACED_H
#define SELFTESTS_TRACED_H

#include <sys/types.h>

#include "lib/events/events.h"
#include "lib/exclusive/exclusive.h"

struct traced {
	struct exclusive ex;
	struct events log;
};

/* All return 0 or a negative errno. */
int traced_open(struct traced *t, pid_t pid);

/* A child, as by child_start(); events before it is told to go on may be missing. */
int traced_child(struct traced *t, struct child *c,
		 int (*body)(struct child *c, void *arg), void *arg);

/* Starts again, with an empty log. */
int traced_again(struct traced *t);

/* Stops, and reads the log. */
int traced_end(struct traced *t);

/* No effect if never opened. */
int traced_close(struct traced *t);

#endif
