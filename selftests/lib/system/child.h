/* SPDX-License-Identifier: GPL-2.0 */
/* Other processes, kept in step with the test, and fewer capabilities. */
#ifndef SELFTESTS_CHILD_H
#define SELFTESTS_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;	/* 0 in the child itself */
	int in, out;
};

/*
 * Forks. The child runs @body and exits with its result; it dies with its
 * parent. Returns 0 or a negative errno, in the parent only.
 */
int child_start(struct child *c, int (*body)(struct child *c, void *arg),
		void *arg);

/* A child that does nothing. */
int child_start_idle(struct child *c);

/* One side tells, the other hears. False where the other side is gone. */
bool child_tell(struct child *c);
bool child_hear(struct child *c);

/* Waits for its end; returns its wait status. child_kill() kills it before. */
int child_wait(struct child *c);
int child_kill(struct child *c);

/* Gives up a capability (CAP_*). Returns 0 or a negative errno. */
int drop_capability(int cap);

#endif
