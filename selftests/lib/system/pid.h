/* SPDX-License-Identifier: GPL-2.0 */
/* Children with a PID that the test chooses. */
#ifndef SELFTESTS_PID_H
#define SELFTESTS_PID_H

#include "lib/system/child.h"

/*
 * child_start() of a child with PID @pid, which is free. Kills children that get another.
 * Returns 0 or a negative errno, -EAGAIN if others take the PID each time.
 */
int child_start_with_pid(struct child *c, pid_t pid,
			 int (*body)(struct child *c, void *arg), void *arg);

/* clone(CLONE_VM) with PID @pid: a process that has the caller's memory, and waits. */
pid_t sharer_start_with_pid(pid_t pid);

#endif
