/* SPDX-License-Identifier: GPL-2.0 */
/* The process or kernel thread of an event. */
#ifndef SELFTESTS_ACTOR_H
#define SELFTESTS_ACTOR_H

#include <sys/types.h>

struct actor {
	pid_t pid;		/* 0: none */
	char comm[16];
};

struct actor actor_self(void);
struct actor actor_of(pid_t pid);

/* The kernel thread of that name. */
struct actor actor_thread(const char *comm);

#endif
