// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/system/pid.h"
#include "lib/system/text.h"

#define LAST_PID	"/proc/sys/kernel/ns_last_pid"
#define TRIES		100

int child_start_with_pid(struct child *c, pid_t pid,
			 int (*body)(struct child *c, void *arg), void *arg)
{
	int tries, err;

	for (tries = 0; tries < TRIES; tries++) {
		err = write_text(LAST_PID, "%d", pid - 1);
		if (!err)
			err = child_start(c, body, arg);
		if (err)
			return err;
		if (c->pid == pid)
			return 0;
		child_kill(c);
	}
	return -EAGAIN;
}

static int wait_for_a_signal(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

pid_t sharer_start_with_pid(pid_t pid)
{
	static long double stack[1024];	/* aligned to 16 bytes */
	int tries, err;
	pid_t got;

	for (tries = 0; tries < TRIES; tries++) {
		err = write_text(LAST_PID, "%d", pid - 1);
		if (err)
			return err;
		got = clone(wait_for_a_signal, stack + ARRAY_SIZE(stack), CLONE_VM | SIGCHLD, NULL);
		if (got < 0)
			return -errno;
		if (got == pid)
			return got;
		kill(got, SIGKILL);
		waitpid(got, NULL, 0);
	}
	return -EAGAIN;
}
