// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/events/events.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define STEP	65536	/* bytes read at a time */
#define SHOWN	10

static const char *path_of(char *path, size_t size, pid_t pid, const char *name)
{
	snprintf(path, size, XPAGEMAP_DIR "/%d/%s", pid, name);
	return path;
}

int events_start(pid_t pid)
{
	return events_start_mode(pid, "1");
}

int events_start_mode(pid_t pid, const char *mode)
{
	char path[64];

	return write_text(path_of(path, sizeof(path), pid, "trace"), "%s\n", mode);
}

int events_stop(pid_t pid)
{
	char path[64];

	return write_text(path_of(path, sizeof(path), pid, "trace"), "0\n");
}

int events_started(pid_t pid)
{
	char path[64], text[8];
	long len = read_text(path_of(path, sizeof(path), pid, "trace"), text, sizeof(text));

	if (len < 0)
		return len;
	if (!strcmp(text, "0\n") || !strcmp(text, "1\n"))
		return *text == '1';
	return -EPROTO;
}

int events_open(pid_t pid)
{
	char path[64];
	int fd = open(path_of(path, sizeof(path), pid, "events"), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void parse_comment(struct events *log, const char *line)
{
	unsigned long long dropped;
	int end = 0;

	if (sscanf(line, "# %llu events dropped%n", &dropped, &end) == 1 && end)
		log->dropped += dropped;
	if (strstr(line, " comm ip"))
		log->with_ip = true;
	if (strstr(line, " gone"))
		log->gone = true;
}

/* Makes room for one more event. */
static struct event *append(struct events *log)
{
	size_t room = log->room ? 2 * log->room : 1024;
	struct event *of;

	if (log->count == log->room) {
		of = realloc(log->of, room * sizeof(*of));
		if (!of)
			return NULL;
		log->of = of;
		log->room = room;
	}
	return &log->of[log->count++];
}

static int parse_line(struct events *log, char *line)
{
	char copy[256];
	struct event *e;

	if (*line == '#') {
		parse_comment(log, line);
		return 0;
	}
	snprintf(copy, sizeof(copy), "%s", line);
	e = append(log);
	if (!e)
		return -ENOMEM;
	if (event_parse(line, log->with_ip, e) && (log->count < 2 || e->seq > e[-1].seq))
		return 0;
	ksft_print_msg("not an event, or out of order: \"%s\"\n", copy);
	log->count--;
	return -EPROTO;
}

static int by_addr_then_age(const void *one, const void *two)
{
	const struct event *a = *(const struct event *const *)one;
	const struct event *b = *(const struct event *const *)two;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static int sort(struct events *log)
{
	size_t i;

	log->by_addr = malloc((log->count + 1) * sizeof(*log->by_addr));
	if (!log->by_addr)
		return -ENOMEM;
	for (i = 0; i < log->count; i++)
		log->by_addr[i] = &log->of[i];
	qsort(log->by_addr, log->count, sizeof(*log->by_addr), by_addr_then_age);
	return 0;
}

int events_parse(struct events *log, char *text)
{
	int err = *text == '#' ? 0 : -EPROTO;
	char *line, *end;

	events_free(log);
	for (line = text; *line && !err; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return -EPROTO;
		*end = '\0';
		err = parse_line(log, line);
	}
	return err ?: sort(log);
}

int events_read(struct events *log, pid_t pid)
{
	int err, fd = events_open(pid);
	size_t len;
	char *text;

	if (fd < 0)
		return fd;
	text = read_to_end(fd, STEP, &len);
	err = text ? events_parse(log, text) : -errno;
	close(fd);
	free(text);
	return err;
}

void events_free(struct events *log)
{
	free(log->of);
	free(log->by_addr);
	*log = (struct events){};
}

static bool is_like(const struct event *e, const struct event *like)
{
	return (!like->op || like->op == e->op) &&
	       (!like->cause || like->cause == e->cause) &&
	       (!like->pfn || like->pfn == e->pfn) &&
	       (!like->addr || like->addr == e->addr) &&
	       (!like->pid || like->pid == e->pid) &&
	       (!*like->comm || !strcmp(like->comm, e->comm));
}

const struct event *events_next(const struct events *log, const struct event *e,
				const struct event *like)
{
	const struct event *end = log->of + log->count;

	for (e = e ? e + 1 : log->of; e < end; e++)
		if (is_like(e, like))
			return e;
	return NULL;
}

size_t events_count(const struct events *log, const struct event *like)
{
	const struct event *e = NULL;
	size_t count = 0;

	while ((e = events_next(log, e, like)))
		count++;
	return count;
}

size_t events_at(const struct events *log, const void *addr,
		 const struct event *const **first)
{
	size_t low = 0, high = log->count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (log->by_addr[middle]->addr < (const unsigned char *)addr)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < log->count && log->by_addr[end]->addr == addr; end++)
		;
	*first = log->by_addr + low;
	return end - low;
}

bool events_explained(const struct events *log)
{
	static const struct event other = { .cause = CAUSE_OTHER };
	const struct event *e = NULL;
	size_t count = 0;
	char text[256];

	while ((e = events_next(log, e, &other))) {
		if (count++ < SHOWN) {
			event_describe(e, text, sizeof(text));
			ksft_print_msg("unknown cause: %s\n", text);
		}
	}
	return count * 100 <= log->count;
}
