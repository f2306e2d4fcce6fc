// SPDX-License-Identifier: GPL-2.0
/* attach of a PID whose target is not its process's address space any more. */
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600

struct target {
	struct region region;	/* filled by the child */
	struct child child;
	pid_t pid;		/* of the child, before and after its end */
	int fd;			/* pagemap */
};

struct end {
	int (*body)(struct child *c, void *region);
	bool exits;		/* its PID is used again; or else it executes a program */
};

FIXTURE(reattach) {
	struct target old;
	long long targets;
};

FIXTURE_VARIANT(reattach) {
	struct end end;
};

static int exec_when_told(struct child *c, void *region)
{
	region_fill(region);
	if (!child_tell(c) || !child_hear(c))
		return 1;
	execlp("sleep", "sleep", "1000", NULL);
	return 127;
}

static void *exec_in_thread(void *arg)
{
	(void)arg;
	execlp("sleep", "sleep", "1000", NULL);
	_exit(127);
}

static int exec_in_thread_when_told(struct child *c, void *region)
{
	pthread_t thread;

	region_fill(region);
	if (!child_tell(c) || !child_hear(c) ||
	    pthread_create(&thread, NULL, exec_in_thread, NULL))
		return 1;
	for (;;)
		pause();
}

FIXTURE_VARIANT_ADD(reattach, exec) { { .body = exec_when_told } };
/* The thread takes over the PID of the main thread. */
FIXTURE_VARIANT_ADD(reattach, exec_in_thread) { { .body = exec_in_thread_when_told } };
FIXTURE_VARIANT_ADD(reattach, used_again) { { .body = exec_when_told, .exits = true } };

static void begin_target(struct __test_metadata *_metadata, struct target *t,
			 const struct end *end)
{
	ASSERT_EQ(0, child_start(&t->child, end->body, &t->region));
	t->pid = t->child.pid;
	ASSERT_TRUE(child_hear(&t->child));
	ASSERT_EQ(0, attach(t->pid));
	t->fd = target_open(t->pid);
	ASSERT_LE(0, t->fd);
}

/* Afterwards another program, or another process, has the PID. */
static void end_target(struct __test_metadata *_metadata, struct target *t,
		       const struct end *end)
{
	if (end->exits) {
		child_kill(&t->child);
		ASSERT_EQ(0, child_start_with_pid(&t->child, t->pid, exec_when_told,
						  &t->region));
		ASSERT_TRUE(child_hear(&t->child));
	} else {
		ASSERT_TRUE(child_tell(&t->child));
		/* The pipe closes on exec. */
		ASSERT_FALSE(child_hear(&t->child));
	}
}

FIXTURE_SETUP(reattach)
{
	self->targets = stats_value("targets");
	ASSERT_EQ(0, region_map_private_anon(&self->old.region, PAGES));
	begin_target(_metadata, &self->old, &variant->end);
}

FIXTURE_TEARDOWN(reattach)
{
	if (is_attached(self->old.pid))
		EXPECT_EQ(0, detach(self->old.pid));
	EXPECT_EQ(self->targets, stats_value("targets"));
	close(self->old.fd);
	child_kill(&self->old.child);
	region_free(&self->old.region);
}

static const char *const texts[] = { "swapmap", "kept", "summary", "violations",
				     "events" };

static int file_open(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* True if the target's files say that its address space is gone. */
static bool is_gone(pid_t pid)
{
	static const char *const binaries[] = { "pagemap", "exclusive" };
	char path[64], text[256] = "", entry[PM_ENTRY_BYTES];
	size_t i;
	bool gone = true;
	int fd;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/%s", pid, texts[i]);
		gone &= read_text(path, text, sizeof(text)) > 0 && *text == '#' &&
			strchr(text, '\n') == text + strlen(text) - 1;
	}
	for (i = 0; i < ARRAY_SIZE(binaries); i++) {
		fd = file_open(pid, binaries[i]);
		gone &= !pread(fd, entry, sizeof(entry), 1 << 20);
		close(fd);
	}
	return gone;
}

static long present(int fd, const struct region *r)
{
	return count_entries(fd, r->addr, r->pages, PM_PRESENT);
}

static int read_error(int fd)
{
	char entry[PM_ENTRY_BYTES];

	return pread(fd, entry, sizeof(entry), 0) < 0 ? errno : 0;
}

TEST_F(reattach, replaces)
{
	__u64 entry;
	int fd;

	EXPECT_EQ(PAGES, present(self->old.fd, &self->old.region));
	EXPECT_FALSE(is_gone(self->old.pid));
	EXPECT_EQ(-EEXIST, attach(self->old.pid));
	end_target(_metadata, &self->old, &variant->end);
	EXPECT_TRUE(is_gone(self->old.pid));
	EXPECT_EQ(0, read_error(self->old.fd));

	EXPECT_EQ(0, attach(self->old.pid));
	EXPECT_EQ(self->targets + 1, stats_value("targets"));
	EXPECT_EQ(EIO, read_error(self->old.fd));
	fd = target_open(self->old.pid);
	EXPECT_EQ(1, pagemap_read(fd, self->old.region.addr, &entry, 1));
	EXPECT_EQ(variant->end.exits ? PAGES : 0, present(fd, &self->old.region));
	EXPECT_FALSE(is_gone(self->old.pid));

	EXPECT_EQ(-EEXIST, attach(self->old.pid));
	EXPECT_EQ(0, read_error(fd));
	EXPECT_EQ(0, detach(self->old.pid));
	EXPECT_EQ(-ENOENT, detach(self->old.pid));
	EXPECT_EQ(EIO, read_error(fd));
	EXPECT_EQ(EIO, read_error(self->old.fd));
	close(fd);
}

/* The old target's recording ends with it; the new one has none. */
TEST_F(reattach, replaces_one_that_is_recorded)
{
	char path[64], text[4096] = "";

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/trace", self->old.pid);
	ASSERT_EQ(0, write_text(path, "1"));
	end_target(_metadata, &self->old, &variant->end);
	ASSERT_EQ(0, attach(self->old.pid));
	ASSERT_LT(0, read_text(path, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/events", self->old.pid);
	ASSERT_LT(0, read_text(path, text, sizeof(text)));
	EXPECT_EQ('#', *text);
	EXPECT_EQ(strlen(text) - 1, strcspn(text, "\n"));
}

static int attach_without_ptrace(struct child *c, void *arg)
{
	(void)c;
	return drop_capability(CAP_SYS_PTRACE) ? 255 : -attach(*(pid_t *)arg);
}

static int attach_once(struct child *c, void *arg)
{
	return child_hear(c) ? -attach(*(pid_t *)arg) : 255;
}

/* A call that fails leaves the old target. */
TEST_F(reattach, failed_call_changes_nothing)
{
	struct child c;

	end_target(_metadata, &self->old, &variant->end);
	ASSERT_EQ(0, child_start(&c, attach_without_ptrace, &self->old.pid));
	EXPECT_EQ(EPERM, WEXITSTATUS(child_wait(&c)));
	EXPECT_TRUE(is_attached(self->old.pid));
	EXPECT_EQ(0, read_error(self->old.fd));
	child_kill(&self->old.child);
	EXPECT_EQ(-ESRCH, attach(self->old.pid));
	EXPECT_TRUE(is_gone(self->old.pid));
	EXPECT_EQ(0, read_error(self->old.fd));
}

#define RACERS	4

/* Of concurrent attaches, one replaces the target; the others get EEXIST. */
TEST_F(reattach, racing_to_replace)
{
	struct child racer[RACERS];
	int round, i, status, won;

	for (round = 0; round < 10; round++) {
		end_target(_metadata, &self->old, &variant->end);
		won = 0;
		for (i = 0; i < RACERS; i++)
			ASSERT_EQ(0, child_start(&racer[i], attach_once, &self->old.pid));
		for (i = 0; i < RACERS; i++)
			child_tell(&racer[i]);
		for (i = 0; i < RACERS; i++) {
			status = child_wait(&racer[i]);
			ASSERT_TRUE(WIFEXITED(status));
			won += !WEXITSTATUS(status);
			if (WEXITSTATUS(status))
				EXPECT_EQ(EEXIST, WEXITSTATUS(status));
		}
		EXPECT_EQ(1, won);
		EXPECT_EQ(self->targets + 1, stats_value("targets"));
		EXPECT_EQ(EIO, read_error(self->old.fd));
		close(self->old.fd);
		ASSERT_EQ(0, detach(self->old.pid));
		child_kill(&self->old.child);
		begin_target(_metadata, &self->old, &variant->end);
	}
}

#define READERS	6

struct reader {
	pthread_t thread;
	int fd;
	bool stop;
	long reads, removed, strange;
};

/* Reads the whole file again and again: entries or lines, then nothing, then EIO. */
static void *read_on(void *arg)
{
	static __thread char bytes[1 << 16];
	struct reader *r = arg;
	ssize_t got;
	off_t at = 0;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		got = pread(r->fd, bytes, sizeof(bytes), at);
		at = got > 0 && at < 64 << 20 ? at + got : 0;
		r->reads++;
		if (got < 0 && errno == EIO)
			r->removed++;
		else if (got < 0 || r->removed)
			r->strange++;
	}
	return NULL;
}

/* Readers of the old directory do not hold up attach. */
TEST_F(reattach, readers_inside)
{
	static const char *const names[READERS] = {
		"pagemap", "exclusive", "swapmap", "summary", "violations", "events",
	};
	struct reader readers[READERS];
	long reads = 0;
	int round, i;

	for (round = 0; round < 10; round++) {
		memset(readers, 0, sizeof(readers));
		for (i = 0; i < READERS; i++) {
			readers[i].fd = file_open(self->old.pid, names[i]);
			ASSERT_LE(0, readers[i].fd);
			ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL, read_on,
						    &readers[i]));
		}
		usleep(1000 * (round % 5));
		end_target(_metadata, &self->old, &variant->end);
		EXPECT_EQ(0, attach(self->old.pid));
		EXPECT_EQ(EIO, read_error(self->old.fd));
		for (i = 0; i < READERS; i++)
			EXPECT_EQ(EIO, read_error(readers[i].fd));
		usleep(1000);
		for (i = 0; i < READERS; i++) {
			__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELAXED);
			pthread_join(readers[i].thread, NULL);
			EXPECT_EQ(0, readers[i].strange) TH_LOG("of %s", names[i]);
			reads += readers[i].reads;
			close(readers[i].fd);
		}
		close(self->old.fd);
		ASSERT_EQ(0, detach(self->old.pid));
		child_kill(&self->old.child);
		begin_target(_metadata, &self->old, &variant->end);
	}
	EXPECT_LT(0, reads);
}

TEST_HARNESS_MAIN
