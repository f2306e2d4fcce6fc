/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program on a terminal of 80 columns and 24 lines: a pseudo-terminal, and a parser of the
 * sequences that such a program writes.
 */
#ifndef SELFTESTS_SCREEN_H
#define SELFTESTS_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

#include "kselftest.h"

#define SCREEN_COLUMNS	80
#define SCREEN_LINES	24
#define SCREEN_PLAIN	255

struct screen {
	/* Each line ends with a zero. Characters beyond ASCII are question marks. */
	char text[SCREEN_LINES][SCREEN_COLUMNS + 1];
	/* Of the background, as the 256 colours are numbered; SCREEN_PLAIN: none. */
	unsigned char colours[SCREEN_LINES][SCREEN_COLUMNS];
	unsigned char colour;	/* of what comes next */
	bool coloured;		/* a colour was set, of the background or not */
	bool other;		/* on the other screen */
	bool hidden;		/* the cursor */
	int terminal;		/* the master's descriptor */
	pid_t pid;
	struct termios before;
	int x, y;
	char sequence[64];
	size_t used;		/* bytes of an unfinished sequence */
};

/* Starts `xpagemap` with these arguments. Returns 0 or a negative errno. */
int __printf(2, 3) screen_start(struct screen *screen, const char *fmt, ...);

/* Reads output for at most so many milliseconds. False at its end. */
bool screen_read(struct screen *screen, int milliseconds);

/* Presses keys. Returns 0 or a negative errno. */
int screen_type(struct screen *screen, const char *keys);

/* The text on the screen, or NULL. */
const char *screen_find(const struct screen *screen, const char *text);

/* Waits until it is there. False if it never is. */
bool __printf(2, 3) screen_wait(struct screen *screen, const char *fmt, ...);

/* Prints the screen to the test's log. */
void screen_show(const struct screen *screen);

/* Waits for the program's end. Returns its wait status, or a negative errno. */
int screen_end(struct screen *screen);

/* True if the terminal is as it was before: its modes, its screen, its cursor. */
bool screen_is_restored(const struct screen *screen);

void screen_close(struct screen *screen);

#endif
