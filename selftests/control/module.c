// SPDX-License-Identifier: GPL-2.0
/*
 * Unloading and loading the module: an open file keeps it loaded. Runs last, since
 * it unloads the module that the other programs use.
 */
#include <fcntl.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

FIXTURE(module) {
	struct child child;
};

FIXTURE_SETUP(module)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_TRUE(module_is_loaded());
	ASSERT_EQ(0, attach(self->child.pid));
}

FIXTURE_TEARDOWN(module)
{
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load());
	if (is_attached(self->child.pid))
		EXPECT_EQ(0, detach(self->child.pid));
	child_kill(&self->child);
}

FIXTURE_VARIANT(module) {
	const char *file;	/* NULL: the target's pagemap */
	int flags;
};

FIXTURE_VARIANT_ADD(module, pagemap) {
	.flags = O_RDONLY,
};

FIXTURE_VARIANT_ADD(module, stats) {
	.file = XPAGEMAP_STATS,
	.flags = O_RDONLY,
};

FIXTURE_VARIANT_ADD(module, attach) {
	.file = XPAGEMAP_ATTACH,
	.flags = O_WRONLY,
};

FIXTURE_VARIANT_ADD(module, detach) {
	.file = XPAGEMAP_DETACH,
	.flags = O_WRONLY,
};

TEST_F(module, stays_while_a_file_is_open)
{
	int fd, copy;
	char buf[8];

	fd = variant->file ? open(variant->file, variant->flags) :
			     target_open(self->child.pid);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	ASSERT_TRUE(module_is_loaded());
	if (variant->flags == O_RDONLY) {
		EXPECT_EQ(8, pread(fd, buf, sizeof(buf), 0));
	} else {
		EXPECT_EQ(-1, write(fd, "x", 1));
		EXPECT_EQ(EINVAL, errno);
	}

	copy = dup(fd);
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, module_unload());
	close(copy);
	EXPECT_EQ(0, module_unload());
	EXPECT_EQ(-1, access(XPAGEMAP_DIR, F_OK));
	ASSERT_EQ(0, module_load());
	EXPECT_FALSE(is_attached(self->child.pid));
}

FIXTURE(reload) {
	struct child child;
};

FIXTURE_SETUP(reload)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_TRUE(module_is_loaded());
}

FIXTURE_TEARDOWN(reload)
{
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load());
	child_kill(&self->child);
}

/* Targets do not keep the module loaded, and end with it. */
TEST_F(reload, forgets_its_targets)
{
	ASSERT_EQ(0, attach(self->child.pid));
	ASSERT_EQ(0, attach(getpid()));
	ASSERT_EQ(0, module_unload());
	ASSERT_EQ(0, module_load());
	EXPECT_EQ(0, stats_value("targets"));
	EXPECT_EQ(-ENOENT, detach(self->child.pid));
	EXPECT_EQ(0, attach(self->child.pid));
	EXPECT_EQ(0, detach(self->child.pid));
}

TEST_F(reload, is_loaded_once_only)
{
	EXPECT_EQ(-EEXIST, module_load());
	EXPECT_LE(0, stats_value("targets"));
}

/* Attaches, opens, reads and detaches in a loop; ignores errors. */
static int use_all_the_time(struct child *c, void *arg)
{
	pid_t pid = *(pid_t *)arg;
	__u64 entries[600];
	long got, good = 0;
	int fd;

	if (!child_tell(c) || fcntl(c->in, F_SETFL, O_NONBLOCK))
		return 2;
	while (!child_hear(c) && errno == EAGAIN) {
		attach(pid);
		fd = target_open(pid);
		if (fd < 0)
			continue;
		got = pagemap_read(fd, c, entries, 600);
		good += got == 600;
		if (got < 0 && got != -EIO)
			return 3;
		close(fd);
		if (good % 4 == 0)
			detach(pid);
		usleep(1000);
	}
	return good ? 0 : 4;
}

#define USERS	3
#define ROUNDS	15

TEST_F(reload, under_readers)
{
	struct child user[USERS];
	int i, round, tries, err, status;

	for (i = 0; i < USERS; i++) {
		ASSERT_EQ(0, child_start(&user[i], use_all_the_time, &self->child.pid));
		ASSERT_TRUE(child_hear(&user[i]));
	}
	for (round = 0; round < ROUNDS; round++) {
		for (tries = 0; tries < 5000; tries++) {
			err = module_unload();
			if (err != -EWOULDBLOCK)
				break;
			usleep(500);
		}
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, module_load());
		usleep(50000);
	}
	for (i = 0; i < USERS; i++) {
		child_tell(&user[i]);
		status = child_wait(&user[i]);
		EXPECT_TRUE(WIFEXITED(status));
		EXPECT_EQ(0, WEXITSTATUS(status));
	}
	if (is_attached(self->child.pid))
		EXPECT_EQ(0, detach(self->child.pid));
}

/* Frees and touches memory until it is killed. */
static int churn_memory(struct child *c, void *arg)
{
	struct region *r = arg;

	if (!child_tell(c))
		return 1;
	for (;;) {
		madvise(r->addr, r->pages * PAGE_BYTES, MADV_DONTNEED);
		region_fill(r);
	}
}

#define PAGES 64
#define FULL_LOGS 6	/* each read takes seconds */

/* Firing events neither keep the module loaded nor call a probe after it is unloaded. */
TEST_F(reload, while_events_fire)
{
	struct child churner[USERS];
	struct events log = {};
	struct region r;
	int i, round;

	ASSERT_EQ(0, region_map_apart(&r, PAGES));
	for (i = 0; i < USERS; i++) {
		ASSERT_EQ(0, child_start(&churner[i], churn_memory, &r));
		ASSERT_TRUE(child_hear(&churner[i]));
	}
	for (round = 0; round < FULL_LOGS; round++) {
		for (i = 0; i < USERS; i++) {
			ASSERT_EQ(0, attach(churner[i].pid));
			ASSERT_EQ(0, events_started(churner[i].pid));
			ASSERT_EQ(0, events_start(churner[i].pid));
		}
		usleep(1000 * (round % 5));
		ASSERT_EQ(0, events_read(&log, churner[round % USERS].pid));
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load());
		EXPECT_EQ(0, stats_value("events_seen"));
	}
	/* The module just loaded traces as before. */
	ASSERT_EQ(0, attach(churner[0].pid));
	ASSERT_EQ(0, events_start(churner[0].pid));
	usleep(100000);
	ASSERT_EQ(0, events_stop(churner[0].pid));
	ASSERT_EQ(0, events_read(&log, churner[0].pid));
	EXPECT_LT(0, log.count);
	EXPECT_TRUE(events_explained(&log));
	EXPECT_EQ(0, detach(churner[0].pid));
	for (i = 0; i < USERS; i++)
		child_kill(&churner[i]);
	events_free(&log);
	region_free(&r);
}

TEST_HARNESS_MAIN
