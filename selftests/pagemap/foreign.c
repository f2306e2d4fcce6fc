// SPDX-License-Identifier: GPL-2.0
/*
 * Files of other processes: opened through /proc/PID/fd and /proc/PID/map_files,
 * sealed, opened read-only.
 */
#include <fcntl.h>
#include <sys/shm.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600

/* Memory shared with the other process: the region that it mapped. */
struct whereabouts {
	struct region region;
};

FIXTURE(foreign) {
	struct whereabouts *there;
	struct child child;
};

FIXTURE_SETUP(foreign)
{
	self->there = mmap(NULL, sizeof(*self->there), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->there);
}

FIXTURE_TEARDOWN(foreign)
{
	child_kill(&self->child);
}

static int fill_and_swap_out(struct child *c, struct region *r)
{
	region_fill(r);
	if (region_pageout(r))
		return 2;
	return !child_tell(c) || !child_hear(c);
}

static int make_memfd(struct child *c, void *arg)
{
	struct whereabouts *there = arg;

	if (region_map_memfd(&there->region, PAGES))
		return 1;
	return fill_and_swap_out(c, &there->region);
}

/* Removed at once: only the mapping refers to it. */
static int make_sysv(struct child *c, void *arg)
{
	struct region *r = &((struct whereabouts *)arg)->region;
	int shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);

	*r = (struct region){ .pages = PAGES, .id = pattern_new_id() };
	r->addr = shmat(shm, NULL, 0);
	if (shmctl(shm, IPC_RMID, NULL) || r->addr == (void *)-1)
		return 1;
	r->fd = region_open_file(r->addr, PAGES * PAGE_BYTES);
	return fill_and_swap_out(c, r);
}

/* Opens /proc/PID/@what of the child. */
static int open_of_child(struct child *c, const char *what, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", c->pid, what);
	return open(path, flags | O_CLOEXEC);
}

/* The child's mapping, the parent's and filemap give the same slots. */
static void expect_same_places(struct __test_metadata *_metadata, struct child *child,
			       const struct region *theirs, int fd)
{
	struct region own, seen = *theirs;
	struct source src;
	struct survey s;

	seen.fd = fd;
	EXPECT_EQ(0, source_open(&src, child->pid));
	EXPECT_EQ(0, survey_region(&src, &seen, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "the child's mapping");
	EXPECT_EQ(0, source_close(&src));

	ASSERT_EQ(0, region_map_view(&own, &seen, 77, PAGES - 77, MAP_SHARED));
	EXPECT_EQ(0, source_open(&src, getpid()));
	EXPECT_EQ(0, survey_region(&src, &own, &s));
	EXPECT_EQ(PAGES - 77, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "our mapping");
	EXPECT_EQ(0, filemap_survey(&own));
	EXPECT_EQ(0, source_close(&src));
	region_unmap(&own);
}

/* An unrelated process maps the memfd after it was swapped out. */
TEST_F(foreign, memfd_through_its_descriptor)
{
	char what[32];
	int fd;

	ASSERT_EQ(0, child_start(&self->child, make_memfd, self->there));
	ASSERT_TRUE(child_hear(&self->child));
	snprintf(what, sizeof(what), "fd/%d", self->there->region.fd);
	fd = open_of_child(&self->child, what, O_RDWR);
	ASSERT_LE(0, fd) TH_LOG("%m");
	expect_same_places(_metadata, &self->child, &self->there->region, fd);
	close(fd);
}

TEST_F(foreign, sysv_through_its_mapping)
{
	const struct region *r = &self->there->region;
	char what[64];
	int fd;

	ASSERT_EQ(0, child_start(&self->child, make_sysv, self->there));
	ASSERT_TRUE(child_hear(&self->child));
	snprintf(what, sizeof(what), "map_files/%lx-%lx", (unsigned long)r->addr,
		 (unsigned long)r->addr + PAGES * PAGE_BYTES);
	fd = open_of_child(&self->child, what, O_RDWR);
	ASSERT_LE(0, fd) TH_LOG("%m");
	expect_same_places(_metadata, &self->child, r, fd);
	close(fd);
}

/* The file outlives the process that created it, as long as it is open. */
TEST_F(foreign, memfd_whose_maker_is_gone)
{
	struct region r;
	char what[32];
	int fd;

	ASSERT_EQ(0, child_start(&self->child, make_memfd, self->there));
	ASSERT_TRUE(child_hear(&self->child));
	r = self->there->region;
	snprintf(what, sizeof(what), "fd/%d", r.fd);
	fd = open_of_child(&self->child, what, O_RDONLY);
	ASSERT_LE(0, fd) TH_LOG("%m");
	child_kill(&self->child);
	r.fd = fd;
	r.addr = NULL;
	ASSERT_EQ(PAGES, region_count(&r, PAGE_SWAPPED));
	EXPECT_EQ(0, filemap_survey(&r));
	close(fd);
}

/* Sealed against writes, it can still be mapped, swapped out and located. */
TEST_F(foreign, sealed_memfd)
{
	int fd = memfd_create("xpagemap-test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	struct region r, own;
	struct source src;
	struct survey s;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, fd, 0));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	region_unmap(&r);
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_FUTURE_WRITE |
			   F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
	own = r;
	own.addr = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)own.addr);
	ASSERT_EQ(0, source_open(&src, getpid()));
	EXPECT_EQ(0, survey_region(&src, &own, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken) survey_print(&s, "sealed");
	EXPECT_EQ(0, filemap_survey(&own));
	EXPECT_EQ(0, region_damaged(&own));
	EXPECT_EQ(0, source_close(&src));
	region_free(&own);
}

TEST_HARNESS_MAIN
