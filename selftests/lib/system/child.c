// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/memory/region.h"
#include "lib/system/child.h"

static void close_pipe(int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

int child_start(struct child *c, int (*body)(struct child *c, void *arg),
		void *arg)
{
	int down[2], up[2];
	pid_t pid;
	int err;

	if (pipe2(down, O_CLOEXEC))
		return -errno;
	if (pipe2(up, O_CLOEXEC)) {
		err = -errno;
		close_pipe(down);
		return err;
	}
	/* A write to a peer that has exited returns an error, and raises no signal. */
	signal(SIGPIPE, SIG_IGN);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close_pipe(down);
		close_pipe(up);
		return err;
	}
	if (!pid) {
		/* *c can be shared with the parent: a fixture that the parent tears down is. */
		struct child own = { .in = down[0], .out = up[1] };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(down[1]);
		close(up[0]);
		_exit(body(&own, arg));
	}
	c->pid = pid;
	close(down[0]);
	close(up[1]);
	c->in = up[0];
	c->out = down[1];
	return 0;
}

static int idle(struct child *c, void *arg)
{
	(void)arg;
	child_hear(c);
	return 0;
}

int child_start_idle(struct child *c)
{
	return child_start(c, idle, NULL);
}

int child_fill_when_told(struct child *c, void *arg)
{
	while (child_hear(c)) {
		region_fill(arg);
		if (!child_tell(c))
			return 1;
	}
	return 0;
}

int child_traced_by_parent(struct child *c, void *arg)
{
	(void)arg;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || !child_tell(c))
		return 1;
	child_hear(c);
	return 0;
}

bool child_ask(struct child *c)
{
	return child_tell(c) && child_hear(c);
}

bool child_tell(struct child *c)
{
	return write(c->out, "", 1) == 1;
}

bool child_hear(struct child *c)
{
	char byte;

	return read(c->in, &byte, 1) == 1;
}

int child_wait(struct child *c)
{
	int status = -1;

	if (c->pid <= 0)
		return -1;
	waitpid(c->pid, &status, 0);
	close(c->in);
	close(c->out);
	c->pid = 0;
	return status;
}

int child_kill(struct child *c)
{
	if (c->pid <= 0)
		return -1;
	kill(c->pid, SIGKILL);
	return child_wait(c);
}

bool child_ended_well(struct child *c)
{
	int status = child_wait(c);

	return WIFEXITED(status) && !WEXITSTATUS(status);
}

int child_run(int (*body)(struct child *c, void *arg), void *arg)
{
	struct child c;

	return child_start(&c, body, arg) ?: child_ended_well(&c) ? 0 : -ECHILD;
}

int drop_capability(int cap)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[CAP_TO_INDEX(cap)].effective &= ~CAP_TO_MASK(cap);
	data[CAP_TO_INDEX(cap)].permitted &= ~CAP_TO_MASK(cap);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}
