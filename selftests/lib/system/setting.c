// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/system/setting.h"
#include "lib/system/text.h"

int setting_change(struct setting *s, const char *path, const char *value)
{
	char text[256], *word, *rest;
	long len = read_text(path, text, sizeof(text));

	if (len < 0)
		return len;
	word = strchr(text, '[');
	word = strtok_r(word ? word + 1 : text, "]\n", &rest);
	snprintf(s->was, sizeof(s->was), "%s", word ?: "");
	snprintf(s->path, sizeof(s->path), "%s", path);
	return write_text(path, "%s", value);
}

int setting_restore(struct setting *s)
{
	return s->path[0] ? write_text(s->path, "%s", s->was) : 0;
}
