/* SPDX-License-Identifier: GPL-2.0 */
/* A target whose exclusive bits are traced from the moment that it is one. */
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

/* A child, as by child_start(); what it does before it is told to go on is not traced. */
int traced_child(struct traced *t, struct child *c,
		 int (*body)(struct child *c, void *arg), void *arg);

/* Begins anew. */
int traced_again(struct traced *t);

/* Ends, and reads what there was. */
int traced_end(struct traced *t);

/* Of one that was never opened, too. */
int traced_close(struct traced *t);

#endif
