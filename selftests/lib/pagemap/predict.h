/* SPDX-License-Identifier: GPL-2.0 */
/* Predictions of PID/page, compared with what a write or a fork does by /proc/PID/pagemap. */
#ifndef SELFTESTS_PREDICT_H
#define SELFTESTS_PREDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/exclusive/exclusive.h"
#include "lib/memory/region.h"
#include "lib/pagemap/page.h"

struct predictor {
	const struct exclusive *ex;	/* the test's own process */
	int fd;				/* PID/page */
	size_t made, right;
};

/*
 * Predicts a write to the page at @addr, writes a byte, and compares. Prints what is wrong.
 * Returns 0, or a negative errno if it could not be compared.
 */
int predict_write(struct predictor *p, const char *kind, unsigned char *addr);

/* A prediction for a fork. */
struct forecast {
	const char *kind;
	unsigned char *addr;
	__u64 before;
	struct page_view view;
};

int predict_fork(struct predictor *p, const char *kind, unsigned char *addr,
		 struct forecast *f);
/* Compares with /proc/PID/pagemap, @child, of the child. */
int check_fork(struct predictor *p, const struct forecast *f, int child);

#endif
