/* SPDX-License-Identifier: GPL-2.0 */
/* A setting of the kernel that is changed and restored. */
#ifndef SELFTESTS_SETTING_H
#define SELFTESTS_SETTING_H

struct setting {
	char path[128];		/* empty: not changed */
	char was[32];
};

/*
 * Both return 0 or a negative errno. In a file that lists all values, the current one is in
 * brackets.
 */
int setting_change(struct setting *s, const char *path, const char *value);
int setting_restore(struct setting *s);

#endif
