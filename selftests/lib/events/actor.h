/* SPDX-License-Identifier: GPL-2.0 */
/* Who did something: a process, or a thread of the kernel. */
#ifndef SELFTESTS_ACTOR_H
#define SELFTESTS_ACTOR_H

#include <sys/types.h>

struct actor {
	pid_t pid;		/* 0: there is none */
	char comm[16];
};

struct actor actor_self(void);
struct actor actor_of(pid_t pid);

/* The kernel's thread of that name. */
struct actor actor_thread(const char *comm);

#endif
