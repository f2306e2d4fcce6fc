/* SPDX-License-Identifier: GPL-2.0 */
/* Random commands and reads of all files of xpagemap, and what each has to answer. */
#ifndef SELFTESTS_FUZZ_H
#define SELFTESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fuzz/memory.h"
#include "lib/system/child.h"

#define FUZZ_TARGETS	3
#define FUZZ_FILES	2
#define FUZZ_ID		64

struct fuzz {
	struct arena *arena;
	struct child target[FUZZ_TARGETS];
	bool attached[FUZZ_TARGETS];
	int file[FUZZ_FILES];			/* the arena's, and another */
	char id[FUZZ_FILES][FUZZ_ID];
	bool file_attached[FUZZ_FILES];
	unsigned char *buffer, *bad;		/* FUZZ_BUFFER bytes; none that can be accessed */
	long result;				/* of the last call: a negative errno, or not */
	char what[256];				/* the last call, in words */
};

#define FUZZ_BUFFER (64 << 10)

/* Returns 0 or a negative errno. */
int fuzz_start(struct fuzz *f, __u64 seed);
int fuzz_stop(struct fuzz *f);

/* Each makes one random call, or few. NULL, or the rule that the answer breaks. */
const char *fuzz_target_command(struct fuzz *f);
const char *fuzz_file_command(struct fuzz *f);
const char *fuzz_target_write(struct fuzz *f);
const char *fuzz_entries(struct fuzz *f);
const char *fuzz_text(struct fuzz *f);
const char *fuzz_swapmap(struct fuzz *f);
const char *fuzz_ioctl(struct fuzz *f);

/* A target exits; another takes its place. */
const char *fuzz_exit(struct fuzz *f);

/* The counters of `stats` are those of the calls that succeeded. */
const char *fuzz_stats(struct fuzz *f);

#endif
