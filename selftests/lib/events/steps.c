// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "kselftest.h"
#include "lib/events/steps.h"

#define SHOWN	3	/* pages with other events */

static bool is_step(const struct event *e, const struct step *s, size_t page,
		    const struct actor *self)
{
	const struct actor *by = s->by ?: self;

	return e->op == s->op && e->cause == s->cause && e->pid == by->pid &&
	       !strcmp(e->comm, by->comm) && (!s->frames || e->pfn == s->frames[page]);
}

static void print_events(const struct event *const *e, size_t count, size_t page)
{
	char text[256];
	size_t i;

	ksft_print_msg("page %zu has %zu events\n", page, count);
	for (i = 0; i < count; i++) {
		event_describe(e[i], text, sizeof(text));
		ksft_print_msg("  %s\n", text);
	}
}

size_t steps_taken(const struct events *log, const struct region *r,
		   const struct step *steps, size_t count)
{
	struct actor self = actor_self();
	size_t i, page, taken = 0, shown = 0;

	for (page = 0; page < r->pages; page++) {
		const struct event *const *e;
		size_t events = events_at(log, region_page(r, page), &e);

		for (i = 0; i < count && i < events; i++)
			if (!is_step(e[i], &steps[i], page, &self))
				break;
		if (i == count && i == events)
			taken++;
		else if (shown++ < SHOWN)
			print_events(e, events, page);
	}
	return taken;
}

size_t steps_none(const struct events *log, const struct region *r)
{
	return steps_taken(log, r, NULL, 0);
}

size_t steps_of_frames(const struct events *log, const __u64 *frames, size_t count,
		       enum event_op op, enum cause cause)
{
	struct event like = { .op = op, .cause = cause };
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		like.pfn = frames[i];
		found += events_count(log, &like) == 1;
	}
	return found;
}
