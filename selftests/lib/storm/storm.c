// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "lib/storm/storm.h"

#define SECONDS		3
#define PAUSE_US	10000

static bool is_stopped(struct storm *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_RELAXED);
}

static void end(struct storm *s)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
}

static void *repeat(void *arg)
{
	struct storm_thread *t = arg;

	while (!is_stopped(t->storm) && !t->err) {
		t->err = t->round(t);
		if (!t->err)
			__atomic_fetch_add(&t->rounds, 1, __ATOMIC_RELAXED);
	}
	if (t->err)
		end(t->storm);
	return NULL;
}

void storm_add(struct storm *s, const char *name, int (*round)(struct storm_thread *t),
	       size_t number, void *arg)
{
	s->threads[s->count++] = (struct storm_thread){
		.storm = s,
		.name = name,
		.round = round,
		.number = number,
		.arg = arg,
	};
}

time_t storm_seconds(time_t by_default)
{
	const char *text = getenv("XPAGEMAP_STORM_SECONDS");

	return text && atol(text) > 0 ? atol(text) : by_default;
}

static bool has_done_enough(const struct storm *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (!__atomic_load_n(&s->threads[i].rounds, __ATOMIC_RELAXED))
			return false;
	return !s->enough || s->enough(s->arg);
}

/* By the clock: with all CPUs busy, usleep() takes longer than asked for. */
static void wait_for_end(struct storm *s)
{
	time_t until = time(NULL) + storm_seconds(SECONDS);

	while (!is_stopped(s) && (time(NULL) < until ||
				  (time(NULL) < until + STORM_PATIENCE && !has_done_enough(s))))
		usleep(PAUSE_US);
	end(s);
}

int storm_run(struct storm *s)
{
	size_t i, started = 0;
	int err = 0;

	for (i = 0; i < s->count && !err; i++) {
		err = -pthread_create(&s->threads[i].id, NULL, repeat, &s->threads[i]);
		started += !err;
	}
	if (!err)
		wait_for_end(s);
	end(s);
	for (i = 0; i < started; i++) {
		struct storm_thread *t = &s->threads[i];

		pthread_join(t->id, NULL);
		ksft_print_msg("%s %zu: %lu times%s%s\n", t->name, t->number, t->rounds,
			       t->err ? ", then " : "", t->err ? strerror(-t->err) : "");
		if (!err)
			err = t->err ?: t->rounds ? 0 : -ENODATA;
	}
	return err;
}
