// SPDX-License-Identifier: GPL-2.0
/*
 * The look-up of a file's pages is for those whom mincore() would tell, by the credentials
 * of the opener of the pagemap file. To others, results are as without it.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600
#define NOBODY	65534
#define OTHER	1000

enum { NOTHING, ALL, MIXED, FAILED };

FIXTURE(may_know) {
	struct mounted fs;
	struct region region;
	char path[128];
};

/* A process that reads, as another user. */
struct reader {
	const char *path;	/* of the file to map; NULL: it makes its own memory */
	int (*own)(struct region *r, size_t pages);
	int flags;		/* MAP_SHARED or MAP_PRIVATE */
	int uid;		/* 0: root without the capabilities on files */
	bool namespace;		/* in a user namespace of its own */
	bool opened_by_root;	/* the pagemap file */
	bool sysctl;		/* read() alone, with the sysctl on */
	int told;		/* by the pagemap file, in the reader */
	int told_root;		/* by the same open file, used by root */
};

/* A third of the file each is in swap, in the page cache, and a hole. */
FIXTURE_SETUP(may_know)
{
	size_t i;
	int fd;

	ASSERT_EQ(0, mounted_tmpfs(&self->fs, "mode=1777"));
	snprintf(self->path, sizeof(self->path), "%s/file", self->fs.dir);
	fd = mounted_file(&self->fs, "file", PAGES);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fchmod(fd, 0644));
	ASSERT_EQ(0, region_map(&self->region, NULL, PAGES, MAP_SHARED, fd, 0));
	for (i = 0; i < PAGES; i++)
		if (i % 3)
			region_fill_page(&self->region, i);
	for (i = 1; i < PAGES; i += 3)
		ASSERT_EQ(0, region_pageout_pages(&self->region, i, 1));
}

FIXTURE_TEARDOWN(may_know)
{
	EXPECT_EQ(0, write_text(PAGEMAP_SYSCTL, "0"));
	region_free(&self->region);
	EXPECT_EQ(0, mounted_remove(&self->fs));
}

static int sum_up(size_t told, size_t due)
{
	if (!told)
		return NOTHING;
	return told == due ? ALL : MIXED;
}

/* Swapped pages that read() tells of an untouched mapping, with the sysctl on. */
static int told_by_read(int fd, const void *addr)
{
	__u64 entries[PAGES];
	size_t i, told = 0;

	if (pagemap_read(fd, addr, entries, PAGES) != PAGES)
		return FAILED;
	for (i = 0; i < PAGES; i++)
		told += pm_is_swap(entries[i]);
	return sum_up(told, PAGES / 3);
}

/* Pages that both ioctls tell, with each combination of flags: all, none, or some. */
static int told_by_ioctls(int fd, const void *addr)
{
	size_t i, told = 0, due = 0;
	__u64 entries[PAGES];
	__u16 scan[PAGES];
	int both;

	for (both = 1; both <= 3; both++) {
		if (pagemap_scan_pages(fd, addr, scan, PAGES,
				       expected_scan_flags(both)) != PAGES ||
		    pagemap_bulk_read(fd, addr, entries, PAGES,
				      expected_read_flags(both)) != PAGES)
			return FAILED;
		due += PAGES / 3 * (both == 3 ? 4 : 2);
		for (i = 0; i < PAGES; i++)
			told += !!scan[i] + !!(entries[i] & (PM_SWAP | PM_CACHED));
	}
	return sum_up(told, due);
}

static int told_by(const struct reader *rd, int fd, const void *addr)
{
	return rd->sysctl ? told_by_read(fd, addr) : told_by_ioctls(fd, addr);
}

static int drop_root(const struct reader *rd)
{
	if (!rd->uid && (drop_capability(CAP_FOWNER) || drop_capability(CAP_DAC_OVERRIDE)))
		return -1;
	if (rd->uid && (setgid(rd->uid) || setuid(rd->uid)))
		return -1;
	if (rd->namespace && unshare(CLONE_NEWUSER))
		return -1;
	return prctl(PR_SET_DUMPABLE, 1);
}

/* Memory of its own, in the same state as the file; no page of it is mapped. */
static void *map_own(const struct reader *rd)
{
	unsigned char in[PAGES];
	struct region r;
	size_t i, tries, left = 1;
	cpu_set_t here;

	/* Pages in another CPU's batch could not be reclaimed. */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) || rd->own(&r, PAGES))
		return MAP_FAILED;
	for (i = 0; i < PAGES; i++)
		if (i % 3)
			region_fill_page(&r, i);
	for (tries = 0; tries < 200 && left; tries++, usleep(10000)) {
		for (i = 1; i < PAGES; i += 3)
			madvise(region_page(&r, i), PAGE_BYTES, MADV_PAGEOUT);
		if (mincore(r.addr, PAGES * PAGE_BYTES, in))
			return MAP_FAILED;
		for (left = 0, i = 1; i < PAGES; i += 3)
			left += in[i] & 1;
	}
	madvise(r.addr, PAGES * PAGE_BYTES, MADV_DONTNEED);
	return r.addr;
}

static void *map_file(const struct reader *rd)
{
	int fd = open(rd->path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? MAP_FAILED : mmap(NULL, PAGES * PAGE_BYTES, PROT_READ, rd->flags, fd, 0);
}

struct place {
	void *addr;
	int fd;
};

static int read_as_another(struct child *c, void *arg)
{
	struct reader *rd = arg;
	struct place at = { .fd = -1 };

	if (rd->opened_by_root)
		at.fd = proc_pagemap_open(getpid());
	if (drop_root(rd))
		return 1;
	at.addr = rd->path ? map_file(rd) : map_own(rd);
	if (at.addr == MAP_FAILED)
		return 2;
	if (at.fd < 0)
		at.fd = proc_pagemap_open(getpid());
	if (at.fd < 0)
		return 3;
	rd->told = told_by(rd, at.fd, at.addr);
	if (write(c->out, &at, sizeof(at)) != sizeof(at))
		return 4;
	child_hear(c);
	return 0;
}

/* Fills in @rd->told and @rd->told_root; the latter through the reader's open file. */
static void read_by(struct __test_metadata *_metadata, struct reader *rd)
{
	struct reader *shared = mmap(NULL, sizeof(*rd), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct place at;
	struct child c;
	int pidfd, fd;

	ASSERT_NE(MAP_FAILED, shared);
	*shared = *rd;
	ASSERT_EQ(0, child_start(&c, read_as_another, shared));
	ASSERT_EQ((ssize_t)sizeof(at), read(c.in, &at, sizeof(at))) {
		TH_LOG("the reader failed: %#x", child_wait(&c));
	}
	rd->told = shared->told;
	pidfd = syscall(SYS_pidfd_open, c.pid, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, at.fd, 0);
	ASSERT_LE(0, fd);
	rd->told_root = told_by(rd, fd, at.addr);
	close(fd);
	close(pidfd);
	child_tell(&c);
	EXPECT_EQ(0, child_wait(&c));
	munmap(shared, sizeof(*shared));
}

static void expect_told(struct __test_metadata *_metadata, struct reader rd, int told)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		rd.flags = kinds[i];
		rd.sysctl = false;
		read_by(_metadata, &rd);
		EXPECT_EQ(told, rd.told);
		EXPECT_EQ(told, rd.told_root);

		rd.sysctl = true;
		ASSERT_EQ(0, write_text(PAGEMAP_SYSCTL, "1"));
		read_by(_metadata, &rd);
		EXPECT_EQ(told, rd.told);
		EXPECT_EQ(told, rd.told_root);
		ASSERT_EQ(0, write_text(PAGEMAP_SYSCTL, "0"));
		if (!rd.path)
			break;
	}
}

TEST_F(may_know, another_user_who_may_read)
{
	expect_told(_metadata, (struct reader){ .path = self->path, .uid = NOBODY }, NOTHING);
}

TEST_F(may_know, another_user_who_may_write)
{
	ASSERT_EQ(0, fchmod(self->region.fd, 0666));
	expect_told(_metadata, (struct reader){ .path = self->path, .uid = NOBODY }, ALL);
}

TEST_F(may_know, owner_who_may_not_write)
{
	ASSERT_EQ(0, fchown(self->region.fd, NOBODY, NOBODY));
	ASSERT_EQ(0, fchmod(self->region.fd, 0444));
	expect_told(_metadata, (struct reader){ .path = self->path, .uid = NOBODY }, ALL);
}

TEST_F(may_know, root_without_capabilities_on_files)
{
	struct reader rd = { .path = self->path };

	expect_told(_metadata, rd, ALL);
	ASSERT_EQ(0, fchown(self->region.fd, OTHER, OTHER));
	expect_told(_metadata, rd, NOTHING);
}

/* Its capabilities are of its own namespace, which the file's owner is not in. */
TEST_F(may_know, root_of_a_user_namespace)
{
	struct reader rd = { .path = self->path, .uid = NOBODY, .namespace = true };

	expect_told(_metadata, rd, NOTHING);
	ASSERT_EQ(0, fchmod(self->region.fd, 0666));
	expect_told(_metadata, rd, ALL);
}

/* expect_told() has both: the reader's file used by root, and here the other way round. */
TEST_F(may_know, file_opened_by_root)
{
	struct reader rd = { .path = self->path, .uid = NOBODY, .opened_by_root = true };

	expect_told(_metadata, rd, ALL);
}

TEST_F(may_know, own_memory)
{
	struct reader rd = { .own = region_map_memfd, .uid = NOBODY };

	expect_told(_metadata, rd, ALL);
	rd.namespace = true;
	expect_told(_metadata, rd, ALL);
}

static int map_anon(struct region *r, size_t pages)
{
	*r = (struct region){ .pages = pages, .fd = -1, .id = pattern_new_id() };
	r->addr = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return r->addr == MAP_FAILED ? -errno : 0;
}

TEST_F(may_know, own_shared_anonymous_memory)
{
	struct reader rd = { .own = map_anon, .uid = NOBODY };

	expect_told(_metadata, rd, ALL);
	rd.namespace = true;
	expect_told(_metadata, rd, ALL);
}

TEST_HARNESS_MAIN
