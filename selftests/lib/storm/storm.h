/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that repeat one operation each, until the time is over or one fails. */
#ifndef SELFTESTS_STORM_H
#define SELFTESTS_STORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define STORM_THREADS 8
/* Timeout of tests with a storm: XPAGEMAP_STORM_SECONDS sets its length. */
#define STORM_TIMEOUT 86400

struct storm;

struct storm_thread {
	struct storm *storm;
	pthread_t id;
	const char *name;	/* of the operation, printed at the end */
	int (*round)(struct storm_thread *t);	/* 0, or a negative errno ends the storm */
	size_t number;		/* among threads with the same operation */
	void *arg;
	unsigned long rounds;
	int err;
};

struct storm {
	struct storm_thread threads[STORM_THREADS];
	size_t count;
	bool stop;
	/* True if all that the test wants to see has happened; NULL: always. */
	bool (*enough)(const void *arg);
	const void *arg;
};

/* Seconds more that a slow machine has, until a storm has done enough. */
#define STORM_PATIENCE 200

/* XPAGEMAP_STORM_SECONDS, or @by_default. */
time_t storm_seconds(time_t by_default);

void storm_add(struct storm *s, const char *name, int (*round)(struct storm_thread *t),
	       size_t number, void *arg);

/*
 * Runs all threads for XPAGEMAP_STORM_SECONDS, by default a few, and longer on a slow
 * machine, until each has finished a round and @s->enough. Prints the number of rounds of
 * each. Returns the first error, or -ENODATA if a thread finished no round, or 0.
 */
int storm_run(struct storm *s);

#endif
