// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/events/actor.h"
#include "lib/system/text.h"

struct actor actor_of(pid_t pid)
{
	struct actor who = { .pid = pid };
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return (struct actor){};
	text[strcspn(text, "\n")] = '\0';
	snprintf(who.comm, sizeof(who.comm), "%s", text);
	return who;
}

struct actor actor_self(void)
{
	return actor_of(getpid());
}

/* A kernel thread has none; a process with its name has. */
static int has_program(pid_t pid)
{
	char path[64], to[8];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, to, sizeof(to)) > 0;
}

struct actor actor_thread(const char *comm)
{
	DIR *dir = opendir("/proc");
	struct actor who = {};
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		who = actor_of(atoi(entry->d_name));
		if (!strcmp(who.comm, comm) && !has_program(who.pid))
			break;
		who = (struct actor){};
	}
	if (dir)
		closedir(dir);
	return who;
}
