// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/system/cli.h"
#include "lib/system/text.h"

#define LINE 1024

int cli_line(char *line, size_t size, const char *fmt, va_list args)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int used;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	used = snprintf(line, size, "%s/../tools/release/xpagemap ", dirname(self));
	if (used >= (int)size || vsnprintf(line + used, size - used, fmt, args) >= (int)size - used)
		return -E2BIG;
	return 0;
}

int cli_run(struct cli *cli, const char *fmt, ...)
{
	char line[LINE + 8];
	FILE *output;
	va_list args;
	int err, status;

	*cli = (struct cli){};
	va_start(args, fmt);
	err = cli_line(line, LINE, fmt, args);
	va_end(args);
	if (err)
		return err;
	strcat(line, " 2>&1");
	output = popen(line, "r");
	if (!output)
		return -errno;
	cli->text = read_to_end(fileno(output), 65536, &cli->len);
	if (!cli->text)
		err = -errno;
	status = pclose(output);
	cli->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return err;
}

void cli_free(struct cli *cli)
{
	free(cli->text);
	cli->text = NULL;
}

pid_t cli_start(const char *path, const char *fmt, ...)
{
	char line[LINE], shell[LINE + PATH_MAX];
	va_list args;
	pid_t pid;
	int err;

	va_start(args, fmt);
	err = cli_line(line, LINE, fmt, args);
	va_end(args);
	if (err)
		return err;
	snprintf(shell, sizeof(shell), "exec %s >%s 2>&1", line, path);
	pid = vfork();
	if (pid < 0)
		return -errno;
	if (!pid) {
		execl("/bin/sh", "sh", "-c", shell, NULL);
		_exit(127);
	}
	return pid;
}

static const char *behind(const char *text, const char *what)
{
	const char *found = text ? strstr(text, what) : NULL;

	return found ? found + strlen(what) : NULL;
}

long long cli_number(const struct cli *cli, const char *after, const char *key)
{
	const char *text = after ? behind(cli->text, after) : cli->text;
	char name[64], *end;
	long long number;

	snprintf(name, sizeof(name), "\"%s\":", key);
	text = behind(text, name);
	if (!text)
		return -ENOENT;
	number = strtoll(text, &end, 10);
	return end == text ? -ENODATA : number;
}

long long cli_mapping(const struct cli *cli, const void *addr, const char *key)
{
	char start[64];

	snprintf(start, sizeof(start), "\"start\":\"%lx\"", (unsigned long)addr);
	return cli_number(cli, start, key);
}

int cli_says(const struct cli *cli, const char *fmt, ...)
{
	char text[LINE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return cli->text && strstr(cli->text, text);
}
