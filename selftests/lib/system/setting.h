/* SPDX-License-Identifier: GPL-2.0 */
/* A switch of the kernel's, that is put back to what it was. */
#ifndef SELFTESTS_SETTING_H
#define SELFTESTS_SETTING_H

struct setting {
	char path[128];		/* empty: never changed */
	char was[32];
};

/*
 * Both return 0 or a negative errno. Where the file lists all words, the one in
 * brackets is the one in force.
 */
int setting_change(struct setting *s, const char *path, const char *value);
int setting_restore(struct setting *s);

#endif
