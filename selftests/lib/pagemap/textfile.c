// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/pagemap/textfile.h"
#include "lib/system/random.h"
#include "lib/system/text.h"

bool textfile_same_by_sizes(const struct textfile *f)
{
	static const size_t sizes[] = { 1, 7, 17, 4095, 4096, 65536 };
	size_t i, len;
	bool same;
	char *text;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		text = lseek(f->fd, 0, SEEK_SET) ? NULL : read_to_end(f->fd, sizes[i], &len);
		same = text && len == f->len && !memcmp(text, f->text, len);
		free(text);
		if (!same) {
			ksft_print_msg("not the same by %zu bytes\n", sizes[i]);
			return false;
		}
	}
	return true;
}

bool textfile_same_from_anywhere(const struct textfile *f)
{
	char buf[5000];
	size_t i, at, len;
	ssize_t got;

	for (i = 0; i < 200; i++) {
		at = random_below(f->len);
		len = 1 + random_below(sizeof(buf));
		got = pread(f->fd, buf, len, at);
		if (got <= 0 || got > (ssize_t)len || at + got > f->len ||
		    memcmp(buf, f->text + at, got)) {
			ksft_print_msg("not the same: %zu bytes at %zu\n", len, at);
			return false;
		}
	}
	if (pread(f->fd, buf, sizeof(buf), f->len) ||
	    pread(f->fd, buf, sizeof(buf), f->len + (1 << 20))) {
		ksft_print_msg("does not end after %zu bytes\n", f->len);
		return false;
	}
	return true;
}

int textfile_read_again(struct child *c, void *arg)
{
	const struct textfile *f = arg;
	char buf[4096];
	size_t round, at;
	ssize_t got;

	(void)c;
	for (round = 0; round < f->rounds; round++) {
		for (at = 0; at < f->len; at += got) {
			got = pread(f->fd, buf, f->step, at);
			if (got <= 0 || memcmp(buf, f->text + at, got))
				return 1;
		}
	}
	return 0;
}
