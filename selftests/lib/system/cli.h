/* SPDX-License-Identifier: GPL-2.0 */
/* The command line, which is built beside the tests, and numbers in its JSON. */
#ifndef SELFTESTS_CLI_H
#define SELFTESTS_CLI_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#include "kselftest.h"

struct cli {
	char *text;	/* standard output and error, NUL-terminated, malloc()ed */
	size_t len;
	int status;	/* exit status, or 128 and the signal */
};

/* Runs it with these arguments, through the shell. Returns 0 or a negative errno. */
int __printf(2, 3) cli_run(struct cli *cli, const char *fmt, ...);

/* The path of the program, a space, and the arguments. Returns 0 or a negative errno. */
int __printf(3, 0) cli_line(char *line, size_t size, const char *fmt, va_list args);

/* No effect on one that is all zeroes, or freed. */
void cli_free(struct cli *cli);

/*
 * Starts it in the background, with its output in the file @path, in a shell that becomes
 * it. Returns the PID or a negative errno.
 */
pid_t __printf(2, 3) cli_start(const char *path, const char *fmt, ...);

/*
 * The number after the first "@key": behind the first @after, or from the beginning if that
 * is NULL. -ENOENT if there is none, -ENODATA if it is null.
 */
long long cli_number(const struct cli *cli, const char *after, const char *key);

/* The same behind the start of the mapping at @addr. */
long long cli_mapping(const struct cli *cli, const void *addr, const char *key);

/* True if the text is in the output. */
int __printf(2, 3) cli_says(const struct cli *cli, const char *fmt, ...);

#endif
