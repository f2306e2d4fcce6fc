/* SPDX-License-Identifier: GPL-2.0 */
/* Child processes that run in step with the test by a pair of pipes, and capabilities. */
#ifndef SELFTESTS_CHILD_H
#define SELFTESTS_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;	/* 0 in the child itself */
	int in, out;
};

/*
 * Forks. The child runs @body and exits with its result; it is killed when its
 * parent exits. Returns 0 or a negative errno, in the parent only.
 */
int child_start(struct child *c, int (*body)(struct child *c, void *arg),
		void *arg);

/* The same, and waits for its exit. -ECHILD if that is not with status 0. */
int child_run(int (*body)(struct child *c, void *arg), void *arg);

/* A child that waits until the parent closes its pipe. */
int child_start_idle(struct child *c);

/* Bodies: fills the struct region @arg each time it is told to, and tells back; */
int child_fill_when_told(struct child *c, void *arg);
/* calls PTRACE_TRACEME, and tells the parent. */
int child_traced_by_parent(struct child *c, void *arg);

/* Writes a byte to the other side, or waits for one. False if the other side is closed. */
bool child_tell(struct child *c);
bool child_hear(struct child *c);
/* Both, in that order. */
bool child_ask(struct child *c);

/* Waits for its exit; returns its wait status. child_kill() sends SIGKILL before. */
int child_wait(struct child *c);
int child_kill(struct child *c);
/* Waits; true if it exited with status 0. */
bool child_ended_well(struct child *c);

/* Gives up a capability (CAP_*). Returns 0 or a negative errno. */
int drop_capability(int cap);

#endif
