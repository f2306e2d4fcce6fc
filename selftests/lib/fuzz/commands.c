// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/fuzz/fuzz.h"
#include "lib/fuzz/input.h"
#include "lib/pagemap/filemap.h"
#include "lib/pagemap/source.h"
#include "lib/system/text.h"
#include "xpagemap.h"

#define LINE_MAX_BYTES 64	/* of a line that is written, its newline included */

/* A line that is written: a sensible one, that may be spoilt. */
struct line {
	char text[2 * FUZZ_BUFFER];
	size_t len;
};

static struct line line;

static void spoil(void)
{
	static const char bytes[] = "0123456789:\n\0 x-+afFZ";
	size_t at = line.len ? input_below(line.len) : 0;

	switch (input_below(4)) {
	case 0:
		memmove(line.text + at + 1, line.text + at, line.len++ - at);
		line.text[at] = bytes[input_below(sizeof(bytes) - 1)];
		break;
	case 1:
		if (line.len)
			memmove(line.text + at, line.text + at + 1, --line.len - at);
		break;
	case 2:
		line.text[at] = input_one_in(2) ? (char)input_word() :
						  bytes[input_below(sizeof(bytes) - 1)];
		line.len += !line.len;
		break;
	default:
		line.len = input_below(input_one_in(8) ? FUZZ_BUFFER : 80);
		memset(line.text, input_one_in(2) ? '0' : '1', line.len);
	}
}

static void __printf(1, 2) some_line(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	line.len = vsnprintf(line.text, 256, fmt, args);
	va_end(args);
	if (input_one_in(2))
		line.text[line.len++] = '\n';
	while (input_one_in(4))
		spoil();
}

static long write_line(struct fuzz *f, const char *path)
{
	snprintf(f->what, sizeof(f->what), "%s, %zu bytes: %.*s", path, line.len,
		 (int)(line.len > 100 ? 100 : line.len), line.text);
	f->result = write_file(path, line.text, line.len);
	return f->result;
}

/* The number at *@at, digits only; -1 if there is none, or it is above @max. */
static long long number_at(size_t *at, size_t len, unsigned long long max)
{
	unsigned long long n = 0;
	size_t first = *at;

	for (; *at < len && isdigit((unsigned char)line.text[*at]); ++*at)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, line.text[*at] - '0', &n))
			return -1;
	return *at == first || n > max ? -1 : (long long)n;
}

static size_t content(void)
{
	return line.len && line.text[line.len - 1] == '\n' ? line.len - 1 : line.len;
}

static long long line_number(void)
{
	size_t at = 0, len = content();
	long long n = number_at(&at, len, INT_MAX);

	return line.len > LINE_MAX_BYTES || at != len ? -1 : n;
}

/* True if the line is three or four numbers; the first three are normalized in @id. */
static bool line_id(char *id, bool *generation)
{
	size_t at = 0, len = content(), part;
	long long n[4];

	*generation = false;
	if (line.len > LINE_MAX_BYTES)
		return false;
	for (part = 0; part < 4; part++) {
		n[part] = number_at(&at, len, part == 2 ? LLONG_MAX : UINT_MAX);
		if (n[part] < 0)
			return false;
		if (at == len)
			break;
		if (line.text[at++] != ':')
			return false;
	}
	if (part < 2 || part > 3)
		return false;
	*generation = part == 3;
	snprintf(id, FUZZ_ID, "%lld:%lld:%lld", n[0], n[1], n[2]);
	return true;
}

static int target_of(const struct fuzz *f, long long pid)
{
	int i;

	for (i = 0; i < FUZZ_TARGETS; i++)
		if (f->target[i].pid == pid)
			return i;
	return -1;
}

/* A target's PID mostly, else one that may be anybody's or nobody's. */
static long long some_pid(const struct fuzz *f)
{
	if (input_one_in(8))
		return input_edge() & LLONG_MAX;
	return f->target[input_below(FUZZ_TARGETS)].pid;
}

const char *fuzz_target_command(struct fuzz *f)
{
	bool attaches = input_one_in(2);
	long long pid;
	int i;

	some_line("%lld", some_pid(f));
	pid = line_number();
	i = target_of(f, pid);
	write_line(f, attaches ? XPAGEMAP_ATTACH : XPAGEMAP_DETACH);
	if (pid < 0)
		return f->result == -EINVAL ? NULL : "malformed, and not EINVAL";
	if (attaches && i >= 0) {
		if (f->result != (f->attached[i] ? -EEXIST : 0))
			return "attach: neither 0 nor EEXIST, as due";
		f->attached[i] = true;
		return NULL;
	}
	if (!attaches) {
		if (f->result != (i >= 0 && f->attached[i] ? 0 : -ENOENT))
			return "detach: neither 0 nor ENOENT, as due";
		if (i >= 0)
			f->attached[i] = false;
		return NULL;
	}
	if (!f->result)
		return detach(pid) ? "attached, but cannot be detached" : NULL;
	return f->result == -ESRCH ? NULL : "attach: errno";
}

static int file_of(const struct fuzz *f, const char *id)
{
	int i;

	for (i = 0; i < FUZZ_FILES; i++)
		if (!strcmp(f->id[i], id))
			return i;
	return -1;
}

/* attach_fd of any descriptor of this process. */
static const char *attach_some_fd(struct fuzz *f)
{
	char id[FUZZ_ID];
	int i, lowest;
	long long fd;

	some_line("%d", input_one_in(4) ? (int)input_below(40) : f->file[input_below(FUZZ_FILES)]);
	fd = line_number();
	write_line(f, XPAGEMAP_ATTACH_FD);
	if (fd < 0)
		return f->result == -EINVAL ? NULL : "malformed, and not EINVAL";
	if (fcntl(fd, F_GETFD) < 0) {
		/* While it is written, attach_fd itself has the lowest free one. */
		lowest = dup(0);
		close(lowest);
		return f->result == (fd == lowest ? -EOPNOTSUPP : -EBADF) ?
			       NULL : "attach_fd: a closed descriptor, and not EBADF";
	}
	file_id(fd, id, sizeof(id));
	i = file_of(f, id);
	if (i >= 0) {
		if (f->result != (f->file_attached[i] ? -EEXIST : 0))
			return "attach_fd: neither 0 nor EEXIST, as due";
		f->file_attached[i] = true;
		return NULL;
	}
	if (!f->result)
		return detach_fd(id) ? "attached, but cannot be detached" : NULL;
	return f->result == -EOPNOTSUPP ? NULL : "attach_fd: errno";
}

/* A fourth number is a generation, which this process does not know. */
static const char *id_command(struct fuzz *f, bool attaches)
{
	char id[FUZZ_ID] = "";
	bool generation;
	int i;

	some_line("%s", f->id[input_below(FUZZ_FILES)]);
	if (!line_id(id, &generation)) {
		write_line(f, attaches ? XPAGEMAP_ATTACH_FILE : XPAGEMAP_DETACH_FD);
		return f->result == -EINVAL ? NULL : "malformed, and not EINVAL";
	}
	i = generation ? -1 : file_of(f, id);
	write_line(f, attaches ? XPAGEMAP_ATTACH_FILE : XPAGEMAP_DETACH_FD);
	if (i < 0) {
		/* Another process's memory. */
		if (attaches && !f->result)
			return write_line(f, XPAGEMAP_DETACH_FD) ?
				       "attached, but cannot be detached" : NULL;
		return f->result == -ENOENT ? NULL : "an ID that no file has, and not ENOENT";
	}
	if (!attaches) {
		if (f->result != (f->file_attached[i] ? 0 : -ENOENT))
			return "detach_fd: neither 0 nor ENOENT, as due";
		f->file_attached[i] = false;
		return NULL;
	}
	if (f->file_attached[i])
		return f->result == -EEXIST ? NULL : "attach_file: attached, and not EEXIST";
	/* The files are listed only while they have pages in swap. */
	if (f->result && f->result != -ENOENT)
		return "attach_file: errno";
	f->file_attached[i] = !f->result;
	return NULL;
}

const char *fuzz_file_command(struct fuzz *f)
{
	switch (input_below(3)) {
	case 0:
		return attach_some_fd(f);
	case 1:
		return id_command(f, true);
	default:
		return id_command(f, false);
	}
}

static bool is_mode(void)
{
	static const char *const modes[] = { "0", "1", "2", "1 keep", "2 keep" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (content() == strlen(modes[i]) && !memcmp(modes[i], line.text, content()))
			return true;
	return false;
}

static bool is_address(void)
{
	size_t at = 0, len = content(), zeroes;

	if (line.len > LINE_MAX_BYTES)
		return false;
	if (len >= 2 && !memcmp(line.text, "0x", 2))
		at = 2;
	for (zeroes = at; zeroes < len && line.text[zeroes] == '0'; zeroes++)
		;
	if (at == len || len - zeroes > 16)
		return false;
	while (at < len && isxdigit((unsigned char)line.text[at]))
		at++;
	return at == len;
}

/* The lines of a page: `address` first, or a comment. */
static const char *read_page(struct fuzz *f, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return "page: cannot be opened";
	got = pread(fd, f->buffer, FUZZ_BUFFER - 1, 0);
	if (got >= 0 || errno != EINVAL) {
		close(fd);
		return "page: read before an address was written, and not EINVAL";
	}
	if (write(fd, line.text, line.len) != (ssize_t)line.len) {
		close(fd);
		return "page: the second write failed";
	}
	got = pread(fd, f->buffer, FUZZ_BUFFER - 1, 0);
	close(fd);
	if (got <= 0)
		return "page: nothing to read";
	f->buffer[got] = 0;
	if (f->buffer[0] != '#' && memcmp(f->buffer, "address ", 8))
		return "page: no address";
	return f->buffer[got - 1] == '\n' ? NULL : "page: the last line does not end";
}

const char *fuzz_target_write(struct fuzz *f)
{
	size_t i = input_below(FUZZ_TARGETS);
	bool pages = !input_one_in(12), well;
	char path[128];

	if (!f->attached[i])
		return NULL;
	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/%s", f->target[i].pid,
		 pages ? "page" : "trace");
	if (pages)
		some_line("%s%llx", input_one_in(2) ? "0x" : "",
			  input_one_in(6) ? (unsigned long long)input_edge() :
			  (unsigned long)f->arena->addr + input_below(ARENA_BYTES));
	else
		some_line("%zu%s", input_below(3), input_one_in(4) ? " keep" : "");
	well = pages ? is_address() : is_mode();
	write_line(f, path);
	if (f->result != (well ? 0 : -EINVAL))
		return well ? "well-formed, and not taken" : "malformed, and not EINVAL";
	return pages && well ? read_page(f, path) : NULL;
}
