/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that do one thing each, over and over, until time is up or one fails. */
#ifndef SELFTESTS_STORM_H
#define SELFTESTS_STORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define STORM_THREADS 8
/* For tests with a storm: it lasts as long as it is told to. */
#define STORM_TIMEOUT 86400

struct storm;

struct storm_thread {
	struct storm *storm;
	pthread_t id;
	const char *name;	/* what it does, for the report */
	int (*round)(struct storm_thread *t);	/* 0, or a negative errno ends it all */
	size_t number;		/* among those of the same kind */
	void *arg;
	unsigned long rounds;
	int err;
};

struct storm {
	struct storm_thread threads[STORM_THREADS];
	size_t count;
	bool over;
};

void storm_add(struct storm *s, const char *name, int (*round)(struct storm_thread *t),
	       size_t number, void *arg);

/*
 * Runs all for XPAGEMAP_STORM_SECONDS, or a few, and prints how often each has done
 * its part. Returns the first error, or -ENODATA where one never did, or 0.
 */
int storm_run(struct storm *s);

#endif
