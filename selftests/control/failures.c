// SPDX-License-Identifier: GPL-2.0
/* needs: /proc/thread-self/fail-nth */
/*
 * Each command again and again, with its first, its second, ... allocation or copy failing,
 * until it needs no more of them. A call that fails returns a documented error and changes
 * nothing, and the next one does the whole.
 */
#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		48
#define POINTS_MAX	4000
#define PATH		160

FIXTURE(failures) {
	struct child other;		/* not attached */
	int lone;			/* a file in swap that nobody has mapped */
	char lone_id[FILE_ID];
	unsigned int points;		/* allocations and copies that failed */
};

FIXTURE_SETUP(failures)
{
	self->lone = memfd_create("lone", MFD_CLOEXEC);
	ASSERT_LE(0, self->lone);
	ASSERT_EQ(0, ftruncate(self->lone, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, file_swap_out(self->lone, PAGES));
	file_id(self->lone, self->lone_id, sizeof(self->lone_id));
	ASSERT_EQ(0, child_start_idle(&self->other));
	ASSERT_EQ(0, failures_prepare());
}

FIXTURE_TEARDOWN(failures)
{
	EXPECT_EQ(0, failures_restore());
	EXPECT_LT(0, self->points);
	close(self->lone);
	child_kill(&self->other);
}

#define scene struct _test_data_failures

static bool allowed(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* A command: one write to a file. */
struct command {
	const char *name;
	char path[PATH], text[FILE_ID];
	bool creates;			/* a directory, see fail_command() */
	int (*check)(scene *s);		/* 0 if all of it has been done */
	int (*undo)(scene *s);
	int (*unchanged)(scene *s);	/* 0 if none of it has */
};

struct state {
	long long targets, files;
	int entries;
	bool other, lone;
};

static bool has_file(const char *id)
{
	char path[PATH];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/files/%s", id);
	return !access(path, F_OK);
}

static struct state state_now(const scene *s)
{
	struct control_state control = control_state_now();

	return (struct state){
		.targets = control.targets,
		.files = stats_value("files"),
		.entries = control.entries,
		.other = is_attached(s->other.pid),
		.lone = has_file(s->lone_id),
	};
}

static bool same_state(const struct state *a, const struct state *b)
{
	return a->targets == b->targets && a->files == b->files && a->entries == b->entries &&
	       a->other == b->other && a->lone == b->lone;
}

/*
 * Fails the points of a command one by one. debugfs does not tell that it had no memory for a
 * directory or a file: then the command succeeds, and they are missing until the next time.
 */
static void fail_command(struct __test_metadata *_metadata, scene *s, const struct command *c)
{
	size_t len = strlen(c->text);
	struct state before, now;
	unsigned int nth, lacking = 0, refused = 0;
	int err, missing, reached = 1;

	for (nth = 1; reached && nth < POINTS_MAX; nth++) {
		before = state_now(s);
		ASSERT_EQ(0, failure_begin(nth));
		err = write_file(c->path, c->text, len);
		reached = failure_end();
		ASSERT_LE(0, reached);
		s->points += reached;
		if (!err) {
			missing = c->check(s);
			lacking += !!missing;
			EXPECT_TRUE(!missing || (reached && c->creates))
				TH_LOG("%s: point %u: %d", c->name, nth, missing);
			ASSERT_EQ(0, c->undo(s));
		} else {
			refused++;
			EXPECT_TRUE(reached && allowed(err))
				TH_LOG("%s: point %u: %s", c->name, nth, strerror(-err));
		}
		now = state_now(s);
		EXPECT_TRUE(same_state(&before, &now)) TH_LOG("%s: point %u", c->name, nth);
		EXPECT_EQ(0, err && c->unchanged ? c->unchanged(s) : 0)
			TH_LOG("%s: point %u", c->name, nth);
	}
	EXPECT_EQ(0, reached);
	EXPECT_LT(0, refused);
	ksft_print_msg("%s: %u points failed, %u calls refused, %u lacked files\n", c->name,
		       nth - 2, refused, lacking);
}

static const char *const views[] = { "pagemap", "swapmap", "kept", "page", "exclusive",
				     "summary", "violations", "trace", "events" };
static const char *const file_views[] = { "filemap", "swapmap", "summary" };

static int all_there(const char *dir, const char *const *names, size_t count)
{
	char path[2 * PATH];
	size_t i, missing = 0;

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		missing += !!access(path, F_OK);
	}
	return missing;
}

static int target_there(scene *s)
{
	char dir[PATH];

	snprintf(dir, sizeof(dir), XPAGEMAP_DIR "/%d", s->other.pid);
	return all_there(dir, views, ARRAY_SIZE(views));
}

static int lone_there(scene *s)
{
	char dir[PATH];

	snprintf(dir, sizeof(dir), XPAGEMAP_DIR "/files/%s", s->lone_id);
	return all_there(dir, file_views, ARRAY_SIZE(file_views));
}

static int detach_other(scene *s) { return detach(s->other.pid); }
static int detach_lone(scene *s) { return detach_fd(s->lone_id); }
static int attach_other(scene *s) { return attach(s->other.pid); }
static int attach_lone(scene *s) { return attach_fd(s->lone); }
static int target_gone(scene *s) { return is_attached(s->other.pid); }
static int lone_gone(scene *s) { return has_file(s->lone_id); }

TEST_F(failures, attach)
{
	struct command c = { "attach", XPAGEMAP_ATTACH, .creates = true, .check = target_there,
			     .undo = detach_other };

	snprintf(c.text, sizeof(c.text), "%d\n", self->other.pid);
	fail_command(_metadata, self, &c);
}

TEST_F(failures, detach)
{
	struct command c = { "detach", XPAGEMAP_DETACH, .check = target_gone,
			     .undo = attach_other, .unchanged = target_there };

	ASSERT_EQ(0, attach_other(self));
	snprintf(c.text, sizeof(c.text), "%d\n", self->other.pid);
	fail_command(_metadata, self, &c);
	EXPECT_EQ(0, detach_other(self));
}

TEST_F(failures, attach_fd)
{
	struct command c = { "attach_fd", XPAGEMAP_ATTACH_FD, .creates = true, .check = lone_there,
			     .undo = detach_lone };

	snprintf(c.text, sizeof(c.text), "%d\n", self->lone);
	fail_command(_metadata, self, &c);
}

TEST_F(failures, attach_file)
{
	struct command c = { "attach_file", XPAGEMAP_ATTACH_FILE, .creates = true,
			     .check = lone_there, .undo = detach_lone };

	snprintf(c.text, sizeof(c.text), "%s\n", self->lone_id);
	fail_command(_metadata, self, &c);
}

TEST_F(failures, detach_fd)
{
	struct command c = { "detach_fd", XPAGEMAP_DETACH_FD, .check = lone_gone,
			     .undo = attach_lone, .unchanged = lone_there };

	ASSERT_EQ(0, attach_lone(self));
	snprintf(c.text, sizeof(c.text), "%s\n", self->lone_id);
	fail_command(_metadata, self, &c);
	EXPECT_EQ(0, detach_lone(self));
}

TEST_HARNESS_MAIN
