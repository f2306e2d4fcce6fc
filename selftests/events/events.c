// SPDX-License-Identifier: GPL-2.0
/* PID/trace and PID/events: format, modes, start and stop. */
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600
#define COLUMNS	"seq ns op pfn address cause site pid comm"

FIXTURE(events) {
	struct region region;	/* not written yet */
	struct traced self;
};

FIXTURE_SETUP(events)
{
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	/* Pages of an earlier process, still in CPU batches, are freed before. */
	region_drain_batches();
	ASSERT_EQ(0, exclusive_open(&self->self.ex, getpid()));
}

FIXTURE_TEARDOWN(events)
{
	EXPECT_TRUE(events_explained(&self->self.log));
	EXPECT_EQ(0, traced_close(&self->self));
	region_free(&self->region);
}

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/%s", getpid(), name);
	return path;
}

static __u64 nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Number of pages with one event, `new`. */
static size_t count_new(const struct events *log, const struct region *r)
{
	return STEPS_TAKEN(log, r, { .op = OP_SET, .cause = CAUSE_NEW });
}

TEST_F(events, modes)
{
	struct stat st;

	ASSERT_EQ(0, stat(path_of("trace"), &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	ASSERT_EQ(0, stat(path_of("events"), &st));
	EXPECT_EQ(S_IFREG | 0400, st.st_mode);
}

TEST_F(events, header_names_the_columns)
{
	char text[4096] = "", names[256] = "";
	const char *at;

	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&self->region);
	ASSERT_EQ(0, events_stop(getpid()));
	EXPECT_EQ(-EFBIG, read_text(path_of("events"), text, sizeof(text) - 1));
	ASSERT_EQ('#', *text);
	at = text + 1 + strspn(text + 1, " ");
	snprintf(names, sizeof(names), "%.*s", (int)strcspn(at, "\n"), at);
	EXPECT_EQ(0, strcasecmp(COLUMNS, names)) TH_LOG("\"%s\"", names);
}

TEST_F(events, nothing_before_the_first_start)
{
	region_fill(&self->region);
	EXPECT_EQ(0, events_started(getpid()));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(0, self->self.log.count);
	EXPECT_FALSE(self->self.log.gone);
}

TEST_F(events, every_page_once_in_order_of_time)
{
	struct events *log = &self->self.log;
	__u64 before = nanoseconds(), after;
	__u64 frames[PAGES];
	size_t i, late = 0;

	ASSERT_EQ(0, events_start(getpid()));
	EXPECT_EQ(1, events_started(getpid()));
	region_fill(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(0, events_started(getpid()));
	after = nanoseconds();
	frames_note(&self->self.ex, &self->region, frames);
	EXPECT_EQ(PAGES, STEPS_TAKEN(log, &self->region,
				     { .op = OP_SET, .cause = CAUSE_NEW, .frames = frames }));
	/* events_read() has checked the sequence numbers. */
	for (i = 0; i < log->count; i++) {
		EXPECT_LE(before, log->of[i].ns);
		EXPECT_GE(after, log->of[i].ns);
	}
	for (i = 1; i < PAGES; i++) {
		const struct event *const *one, *const *next;

		ASSERT_EQ(1, events_at(log, region_page(&self->region, i - 1), &one));
		ASSERT_EQ(1, events_at(log, region_page(&self->region, i), &next));
		late += one[0]->seq >= next[0]->seq || one[0]->ns > next[0]->ns;
	}
	EXPECT_EQ(0, late);
}

TEST_F(events, nothing_while_stopped)
{
	struct region first = region_part(&self->region, 0, PAGES / 2);
	struct region second = region_part(&self->region, PAGES / 2, PAGES / 2);
	long long seen;

	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&first);
	ASSERT_EQ(0, events_stop(getpid()));
	seen = stats_value("events_seen");
	region_fill(&second);
	EXPECT_EQ(seen, stats_value("events_seen"));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(PAGES / 2, count_new(&self->self.log, &first));
	EXPECT_EQ(PAGES / 2, steps_none(&self->self.log, &second));
}

/* A read shows the events so far; later reads show later events as well. */
TEST_F(events, log_can_be_read_while_it_grows)
{
	struct region first = region_part(&self->region, 0, PAGES / 2);
	struct region second = region_part(&self->region, PAGES / 2, PAGES / 2);
	struct events *log = &self->self.log;

	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&first);
	ASSERT_EQ(0, events_read(log, getpid()));
	EXPECT_EQ(PAGES / 2, count_new(log, &first));
	EXPECT_EQ(PAGES / 2, steps_none(log, &second));
	region_fill(&second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_new(log, &self->region));
}

TEST_F(events, the_same_again_changes_nothing)
{
	struct region first = region_part(&self->region, 0, PAGES / 2);
	struct region second = region_part(&self->region, PAGES / 2, PAGES / 2);

	EXPECT_EQ(0, events_stop(getpid()));
	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&first);
	EXPECT_EQ(0, events_start(getpid()));
	EXPECT_EQ(1, events_started(getpid()));
	region_fill(&second);
	ASSERT_EQ(0, events_stop(getpid()));
	EXPECT_EQ(0, events_stop(getpid()));
	EXPECT_EQ(0, events_started(getpid()));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(PAGES, count_new(&self->self.log, &self->region));
}

TEST_F(events, started_again_it_begins_anew)
{
	struct region first = region_part(&self->region, 0, PAGES / 2);
	struct region second = region_part(&self->region, PAGES / 2, PAGES / 2);

	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&first);
	ASSERT_EQ(0, traced_again(&self->self));
	region_fill(&second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES / 2, steps_none(&self->self.log, &first));
	EXPECT_EQ(PAGES / 2, count_new(&self->self.log, &second));
}

/* A new target of the same process is not traced, and its log is empty. */
TEST_F(events, attached_again_it_is_not_traced)
{
	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&self->region);
	ASSERT_EQ(0, exclusive_close(&self->self.ex));
	ASSERT_EQ(0, exclusive_open(&self->self.ex, getpid()));
	EXPECT_EQ(0, events_started(getpid()));
	ASSERT_EQ(0, events_read(&self->self.log, getpid()));
	EXPECT_EQ(0, self->self.log.count);
}

TEST_F(events, stats_count_what_was_seen)
{
	long long seen = stats_value("events_seen"), dropped = stats_value("events_dropped");

	ASSERT_LE(0, seen);
	ASSERT_LE(0, dropped);
	ASSERT_EQ(0, events_start(getpid()));
	region_fill(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_LE(seen + (long long)self->self.log.count, stats_value("events_seen"));
	EXPECT_LE(PAGES, self->self.log.count);
	EXPECT_LE(dropped, stats_value("events_dropped"));
	EXPECT_EQ(0, self->self.log.dropped);
}

TEST_HARNESS_MAIN
