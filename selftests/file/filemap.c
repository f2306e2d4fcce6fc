// SPDX-License-Identifier: GPL-2.0
/* files/ID/filemap: a shmem file's own pages, mapped or not. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 600	/* more than one window */

FIXTURE(filemap) {
	struct region region;
	char id[64];
	int fd;		/* the file's filemap */
};

FIXTURE_SETUP(filemap)
{
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	file_id(self->region.fd, self->id, sizeof(self->id));
	ASSERT_EQ(0, attach_fd(self->region.fd));
	self->fd = filemap_open(self->id);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(filemap)
{
	close(self->fd);
	EXPECT_EQ(0, detach_fd(self->id));
	region_free(&self->region);
}

TEST_F(filemap, resident_swapped_and_absent_pages)
{
	__u64 entries[PAGES];
	size_t i;

	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	for (i = 0; i < PAGES; i += 4)
		ASSERT_TRUE(pattern_matches(region_page(&self->region, i),
					    self->region.id, i));
	EXPECT_EQ(PAGES / 4, region_count(&self->region, PAGE_SWAPPED));
	EXPECT_EQ(PAGES / 4, region_count(&self->region, PAGE_RESIDENT));
	ASSERT_EQ(PAGES, filemap_read(self->fd, 0, entries, PAGES));
	EXPECT_EQ(0, filemap_wrong(&self->region, entries));
}

TEST_F(filemap, ends_where_the_file_ends)
{
	__u64 entries[PAGES];

	region_fill(&self->region);
	EXPECT_EQ(1, filemap_read(self->fd, PAGES - 1, entries, 2));
	EXPECT_EQ(0, filemap_read(self->fd, PAGES, entries, 1));
	EXPECT_EQ(0, filemap_read(self->fd, 1UL << 50, entries, 1));
	ASSERT_EQ(0, ftruncate(self->region.fd, 10 * PAGE_BYTES - 1));
	EXPECT_EQ(10, filemap_read(self->fd, 0, entries, PAGES));
	ASSERT_EQ(0, ftruncate(self->region.fd, 0));
	EXPECT_EQ(0, filemap_read(self->fd, 0, entries, PAGES));
}

TEST_F(filemap, pages_allocated_beyond_the_size)
{
	__u64 entries[PAGES];
	size_t i, present = 0;

	ASSERT_EQ(0, ftruncate(self->region.fd, PAGE_BYTES));
	ASSERT_EQ(0, fallocate(self->region.fd, FALLOC_FL_KEEP_SIZE, 0,
			       16 * PAGE_BYTES));
	EXPECT_EQ(16, filemap_read(self->fd, 0, entries, PAGES));
	for (i = 0; i < 16; i++)
		present += !!(entries[i] & PM_PRESENT);
	EXPECT_EQ(16, present);
}

TEST_F(filemap, hole_punched_in_swapped_pages)
{
	__u64 entries[PAGES];
	size_t i;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, fallocate(self->region.fd,
			       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       100 * PAGE_BYTES, 50 * PAGE_BYTES));
	ASSERT_EQ(PAGES, filemap_read(self->fd, 0, entries, PAGES));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i >= 100 && i < 150, !entries[i]);
	EXPECT_EQ(0, filemap_wrong(&self->region, entries));
}

/* An attached file stays when it is unlinked, closed and unmapped. */
TEST_F(filemap, kept_when_closed_and_unmapped)
{
	__u64 before[PAGES], after[PAGES];

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(PAGES, filemap_read(self->fd, 0, before, PAGES));
	region_free(&self->region);
	ASSERT_EQ(PAGES, filemap_read(self->fd, 0, after, PAGES));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	/* The teardown unmaps a region. */
	ASSERT_EQ(0, region_map_memfd(&self->region, 1));
}

TEST_F(filemap, sealing_and_writing_remain_possible)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	char id[64];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE_BYTES));
	file_id(fd, id, sizeof(id));
	ASSERT_EQ(0, attach_fd(fd));
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL));
	EXPECT_EQ(0, detach_fd(id));
	close(fd);
}

TEST(filemap_sysv)
{
	int shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	struct region r = { .pages = PAGES, .id = 77 };
	__u64 entries[PAGES];
	char id[64];
	int map;

	ASSERT_LE(0, shm);
	r.addr = shmat(shm, NULL, 0);
	ASSERT_NE((void *)-1, r.addr);
	ASSERT_EQ(0, shmctl(shm, IPC_RMID, NULL));
	r.fd = region_open_file(r.addr, PAGES * PAGE_BYTES);
	ASSERT_LE(0, r.fd);
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	file_id(r.fd, id, sizeof(id));
	ASSERT_EQ(0, attach_fd(r.fd));
	map = filemap_open(id);
	ASSERT_LE(0, map);
	EXPECT_EQ(PAGES, filemap_read(map, 0, entries, PAGES));
	EXPECT_EQ(0, filemap_wrong(&r, entries));
	close(map);
	EXPECT_EQ(0, detach_fd(id));
	close(r.fd);
	shmdt(r.addr);
}

/* A failed call changes nothing. */
TEST(filemap_errors)
{
	struct control_state before = control_state_now();
	static const char * const malformed[] = {
		"\n", "1", "0:1", "a:b:c", "0:1:2:3:4", "0:1:-2", "0:1:2 ",
	};
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int memfd = memfd_create("errors", MFD_CLOEXEC);
	int path = open("/dev/shm", O_PATH | O_CLOEXEC);
	long long files = stats_value("files");
	char id[64];
	size_t i;

	ASSERT_LE(0, memfd);
	file_id(memfd, id, sizeof(id));
	EXPECT_EQ(-EBADF, attach_fd(1 << 20));
	EXPECT_EQ(-EBADF, attach_fd(path));
	EXPECT_EQ(-EOPNOTSUPP, attach_fd(null));
	EXPECT_EQ(-EINVAL, write_text(XPAGEMAP_ATTACH_FD, "x\n"));
	EXPECT_EQ(-EINVAL, write_text(XPAGEMAP_ATTACH_FD, "-1\n"));
	EXPECT_EQ(-ENOENT, detach_fd(id));
	EXPECT_EQ(-ENOENT, detach_fd("0:0:0"));
	for (i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
		EXPECT_EQ(-EINVAL, write_text(XPAGEMAP_DETACH_FD, "%s", malformed[i]));
	EXPECT_EQ(files, stats_value("files"));
	EXPECT_TRUE(control_unchanged(before));

	ASSERT_EQ(0, attach_fd(memfd));
	EXPECT_EQ(files + 1, stats_value("files"));
	EXPECT_EQ(-EEXIST, attach_fd(memfd));
	EXPECT_EQ(files + 1, stats_value("files"));
	EXPECT_EQ(0, detach_fd(id));
	EXPECT_EQ(files, stats_value("files"));
	close(path);
	close(memfd);
	close(null);
}

TEST_HARNESS_MAIN
