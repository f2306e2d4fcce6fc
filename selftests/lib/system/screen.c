// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/system/cli.h"
#include "lib/system/screen.h"

#define PATIENCE 120 /* seconds */

static void clear(struct screen *screen)
{
	for (int y = 0; y < SCREEN_LINES; y++) {
		memset(screen->text[y], ' ', SCREEN_COLUMNS);
		screen->text[y][SCREEN_COLUMNS] = '\0';
		memset(screen->colours[y], SCREEN_PLAIN, SCREEN_COLUMNS);
	}
}

int screen_start(struct screen *screen, const char *fmt, ...)
{
	struct winsize size = { .ws_row = SCREEN_LINES, .ws_col = SCREEN_COLUMNS };
	char line[1024];
	va_list args;
	pid_t pid;
	int err;

	*screen = (struct screen){ .colour = SCREEN_PLAIN };
	clear(screen);
	va_start(args, fmt);
	err = cli_line(line, sizeof(line), fmt, args);
	va_end(args);
	if (err)
		return err;
	/* *screen can be shared with the child: a fixture that the parent tears down is. */
	pid = forkpty(&screen->terminal, NULL, NULL, &size);
	if (pid < 0)
		return -errno;
	if (!pid) {
		char shell[1100];

		setenv("TERM", "xterm", 1);
		snprintf(shell, sizeof(shell), "exec %s", line);
		/* The master tells the modes before; the program waits until they are read. */
		raise(SIGSTOP);
		execl("/bin/sh", "sh", "-c", shell, NULL);
		_exit(127);
	}
	screen->pid = pid;
	if (waitpid(pid, NULL, WUNTRACED) < 0 ||
	    tcgetattr(screen->terminal, &screen->before) || kill(pid, SIGCONT))
		return -errno;
	return 0;
}

/* True if one of the numbers is a colour's: 30 to 49, or 90 to 107. */
static bool sets_colour(const char *numbers)
{
	char *end;

	for (; *numbers; numbers = *end == ';' ? end + 1 : "") {
		long number = strtol(numbers, &end, 10);

		if ((number >= 30 && number <= 49) || (number >= 90 && number <= 107))
			return true;
	}
	return false;
}

/* A whole sequence, `ESC [ ... letter`. Attributes but the background are passed over. */
static void obey(struct screen *screen)
{
	char *sequence = screen->sequence;
	char last = sequence[screen->used - 1];
	bool set = last == 'h';

	sequence[screen->used] = '\0';
	if (last == 'H') {
		int y, x;
		bool given = sscanf(sequence, "\033[%d;%dH", &y, &x) == 2;

		screen->y = given ? y - 1 : 0;
		screen->x = given ? x - 1 : 0;
	} else if (last == 'm') {
		const char *background = strstr(sequence, "48;5;");

		screen->colour = background ? atoi(background + 5) : SCREEN_PLAIN;
		screen->coloured |= sets_colour(sequence + 2);
	} else if (last == 'J') {
		clear(screen);
	} else if (!strncmp(sequence, "\033[?1049", 7)) {
		screen->other = set;
		/* The main screen comes back as it was: empty. */
		clear(screen);
		screen->x = 0;
		screen->y = 0;
	} else if (!strncmp(sequence, "\033[?25", 5)) {
		screen->hidden = !set;
	}
}

static void print(struct screen *screen, char byte)
{
	int x = screen->x++, y = screen->y;

	if (x < 0 || x >= SCREEN_COLUMNS || y < 0 || y >= SCREEN_LINES)
		return;
	screen->text[y][x] = byte;
	screen->colours[y][x] = screen->colour;
}

static void feed(struct screen *screen, unsigned char byte)
{
	if (screen->used) {
		screen->sequence[screen->used++] = byte;
		if (screen->used == 2 && byte != '[')
			screen->used = 0;
		if (screen->used > 2 && byte >= '@' && byte <= '~')
			obey(screen);
		if (screen->used > 2 &&
		    (byte >= '@' || screen->used == sizeof(screen->sequence) - 1))
			screen->used = 0;
	} else if (byte == '\033') {
		screen->sequence[screen->used++] = byte;
	} else if (byte == '\r') {
		screen->x = 0;
	} else if (byte == '\n') {
		screen->y++;
	} else if (byte >= 0xc0) {
		print(screen, '?');
	} else if (byte >= ' ' && byte < 0x7f) {
		print(screen, byte);
	}
}

bool screen_read(struct screen *screen, int milliseconds)
{
	struct pollfd fd = { .fd = screen->terminal, .events = POLLIN };
	unsigned char bytes[4096];
	ssize_t len;

	if (poll(&fd, 1, milliseconds) <= 0)
		return true;
	len = read(screen->terminal, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < len; i++)
		feed(screen, bytes[i]);
	return len > 0;
}

int screen_type(struct screen *screen, const char *keys)
{
	ssize_t len = strlen(keys);

	return write(screen->terminal, keys, len) == len ? 0 : -errno;
}

const char *screen_find(const struct screen *screen, const char *text)
{
	const char *found = NULL;

	for (int y = 0; y < SCREEN_LINES && !found; y++)
		found = strstr(screen->text[y], text);
	return found;
}

bool screen_wait(struct screen *screen, const char *fmt, ...)
{
	time_t end = time(NULL) + PATIENCE;
	char text[SCREEN_COLUMNS + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	while (!screen_find(screen, text))
		if (!screen_read(screen, 100) || time(NULL) > end)
			return screen_find(screen, text);
	return true;
}

void screen_show(const struct screen *screen)
{
	for (int y = 0; y < SCREEN_LINES; y++)
		ksft_print_msg("|%s|\n", screen->text[y]);
}

int screen_end(struct screen *screen)
{
	time_t end = time(NULL) + PATIENCE;
	int status;

	/* The terminal's end is read as an error, once all that was written is read. */
	while (screen_read(screen, 100) && time(NULL) < end)
		;
	if (waitpid(screen->pid, &status, time(NULL) < end ? 0 : WNOHANG) != screen->pid)
		return -ETIMEDOUT;
	screen->pid = 0;
	return status;
}

bool screen_is_restored(const struct screen *screen)
{
	struct termios now;

	return !tcgetattr(screen->terminal, &now) && now.c_lflag == screen->before.c_lflag &&
	       now.c_iflag == screen->before.c_iflag && now.c_oflag == screen->before.c_oflag &&
	       !screen->other && !screen->hidden;
}

void screen_close(struct screen *screen)
{
	if (screen->pid > 0) {
		kill(screen->pid, SIGKILL);
		waitpid(screen->pid, NULL, 0);
	}
	if (screen->terminal > 0)
		close(screen->terminal);
	*screen = (struct screen){};
}
