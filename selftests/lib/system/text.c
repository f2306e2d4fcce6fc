// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/system/text.h"

int write_file(const char *path, const void *buf, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;
	int err;

	if (fd < 0)
		return -errno;
	done = write(fd, buf, len);
	if (done < 0)
		err = -errno;
	else
		err = (size_t)done == len ? 0 : -EIO;
	close(fd);
	return err;
}

int write_text(const char *path, const char *fmt, ...)
{
	char buf[256];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(buf))
		return -E2BIG;
	return write_file(path, buf, len);
}

long read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, buf + len, size - len);
		if (got > 0)
			len += got;
	} while (got > 0 && len < size);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got < 0)
		return got;
	if (len == size)
		return -EFBIG;
	buf[len] = '\0';
	return len;
}

long long read_value(const char *path, const char *key)
{
	size_t key_len = strlen(key);
	char buf[16384];
	char *line, *rest;
	long len;

	len = read_text(path, buf, sizeof(buf));
	if (len < 0)
		return len;
	for (line = strtok_r(buf, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, key, key_len))
			continue;
		line += key_len;
		if (*line == ':')
			line++;
		if (*line != ' ' && *line != '\t')
			continue;
		return strtoll(line, NULL, 10);
	}
	return -ENOENT;
}

char *read_to_end(int fd, size_t step, size_t *len)
{
	size_t room = 2 * step + 1;
	char *text = malloc(room);
	ssize_t got;

	*len = 0;
	while (text) {
		if (room - *len <= step) {
			room *= 2;
			text = realloc(text, room);
			continue;
		}
		got = read(fd, text + *len, step);
		if (got <= 0)
			break;
		*len += got;
	}
	if (!text || got < 0) {
		free(text);
		return NULL;
	}
	text[*len] = '\0';
	return text;
}
