// SPDX-License-Identifier: GPL-2.0
/*
 * `shmem`: each shmem file of the system that has pages in swap is a line, whoever has it
 * open, maps it, or can reach it.
 */
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/shmemscan.h"

#define PAGES	40
#define PATH	256

FIXTURE(shmem_list) {
	struct control_state before;
};

FIXTURE_SETUP(shmem_list)
{
	self->before = control_state_now();
}

/* The list attaches nothing. */
FIXTURE_TEARDOWN(shmem_list)
{
	EXPECT_TRUE(control_unchanged(self->before));
}

static int swapped_memfd(const char *name, size_t pages)
{
	int fd = memfd_create(name, MFD_CLOEXEC), err;

	if (fd < 0 || ftruncate(fd, pages * PAGE_BYTES))
		return -errno;
	err = file_swap_out(fd, pages);
	return err ? err : fd;
}

static void expect_line(struct __test_metadata *_metadata, int fd, const char *name,
			__u64 links)
{
	struct shmem_line line;

	ASSERT_EQ(0, shmem_line_of(fd, &line)) TH_LOG("%s", name);
	EXPECT_EQ(0, strcmp(line.name, name)) TH_LOG("\"%s\", not \"%s\"", line.name, name);
	EXPECT_EQ(PAGES, line.pages);
	EXPECT_EQ(0, line.cached);
	EXPECT_EQ(PAGES, line.swapped);
	EXPECT_EQ(links, line.links);
	EXPECT_FALSE(line.has_generation);
}

TEST_F(shmem_list, memfd_that_nobody_maps)
{
	int fd = swapped_memfd("nobody", PAGES);
	struct shmem_line line;
	char buf[PAGE_BYTES];
	struct stat st;
	int i;

	ASSERT_LE(0, fd);
	expect_line(_metadata, fd, "/memfd:nobody (deleted)", 0);
	ASSERT_EQ(0, fstat(fd, &st));
	ASSERT_EQ(0, shmem_line_of(fd, &line));
	EXPECT_EQ(major(st.st_dev), line.major);
	EXPECT_EQ(minor(st.st_dev), line.minor);
	/* A hole, pages read back: as many are left. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       5 * PAGE_BYTES));
	for (i = 5; i < 8; i++)
		ASSERT_EQ((ssize_t)sizeof(buf), pread(fd, buf, sizeof(buf), i * PAGE_BYTES));
	ASSERT_EQ(0, shmem_line_of(fd, &line));
	EXPECT_EQ(PAGES, line.pages);
	EXPECT_EQ(3, line.cached);
	EXPECT_EQ(PAGES - 8, line.swapped);
	/* All back: not in the list. */
	for (; i < PAGES; i++)
		ASSERT_EQ((ssize_t)sizeof(buf), pread(fd, buf, sizeof(buf), i * PAGE_BYTES));
	EXPECT_EQ(-ENOENT, shmem_line_of(fd, &line));
	close(fd);
	EXPECT_EQ(-ENOENT, shmem_line_named("/memfd:nobody (deleted)", &line));
}

/* The file's own counts, and those of SHMEM_SCAN and lseek(), which look at the pages. */
TEST_F(shmem_list, counts_agree_with_the_pages)
{
	int fd = swapped_memfd("counts", 4 * PAGES);
	struct shmemscan_page pages[4 * PAGES];
	size_t i, cached = 0, swapped = 0, data = 0;
	struct shmem_line line;
	char byte;
	off_t at;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       11 * PAGE_BYTES, 13 * PAGE_BYTES));
	for (i = 0; i < 4 * PAGES; i += 7)
		ASSERT_EQ(1, pread(fd, &byte, 1, i * PAGE_BYTES));
	ASSERT_EQ(0, shmemscan_pages(fd, 0, 4 * PAGES, 64, pages));
	for (i = 0; i < 4 * PAGES; i++) {
		cached += !!(pages[i].categories & SHMEM_IS_CACHED);
		swapped += !!(pages[i].categories & SHMEM_IS_SWAPPED);
		at = lseek(fd, i * PAGE_BYTES, SEEK_DATA);
		data += at == (off_t)(i * PAGE_BYTES);
	}
	ASSERT_EQ(0, shmem_line_of(fd, &line));
	EXPECT_EQ(cached, line.cached);
	EXPECT_EQ(swapped, line.swapped);
	EXPECT_EQ(data, line.cached + line.swapped);
	close(fd);
}

/* Paths below the mount, links, names that need escapes, and unlinked files. */
TEST_F(shmem_list, tmpfs_names)
{
	struct mounted fs, *m = &fs;
	char path[PATH], other[PATH];
	int fd;

	ASSERT_EQ(0, mounted_tmpfs(m, "size=100m"));
	snprintf(path, sizeof(path), "%s/a dir", m->dir);
	ASSERT_EQ(0, mkdir(path, 0755));
	fd = mounted_file(m, "a dir/new\nline \\ and  spaces ", PAGES);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, file_swap_out(fd, PAGES));
	expect_line(_metadata, fd, "/a dir/new\\012line \\ and  spaces ", 1);
	snprintf(path, sizeof(path), "%s/a dir/new\nline \\ and  spaces ", m->dir);
	snprintf(other, sizeof(other), "%s/link", m->dir);
	ASSERT_EQ(0, link(path, other));
	ASSERT_EQ(0, unlink(path));
	expect_line(_metadata, fd, "/link", 1);
	ASSERT_EQ(0, link(other, path));
	ASSERT_EQ(0, unlink(other));
	ASSERT_EQ(0, rename(path, other));
	expect_line(_metadata, fd, "/link", 1);
	ASSERT_EQ(0, unlink(other));
	/* The name that the descriptor was opened by is left, as in /proc/PID/maps. */
	expect_line(_metadata, fd, "/a dir/new\\012line \\ and  spaces  (deleted)", 0);
	close(fd);
	EXPECT_EQ(0, mounted_remove(m));
}

TEST_F(shmem_list, shared_anonymous_memory)
{
	struct shmem_line line;
	struct region r;

	ASSERT_EQ(0, region_map_shared_anon(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	expect_line(_metadata, r.fd, "/dev/zero (deleted)", 0);
	region_free(&r);
	EXPECT_EQ(-ENOENT, shmem_line_named("/dev/zero (deleted)", &line));
}

/* Number of pages in swap of all SysV segments, by the kernel's count. */
static long sysv_swapped(void)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0 ? -1 : (long)info.shm_swp;
}

TEST_F(shmem_list, sysv_segment_without_attachment)
{
	int id = shmget(0x5107, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	struct region r = { .pages = PAGES, .id = 5 };
	long before = sysv_swapped();
	struct shmem_line line;
	void *addr;

	ASSERT_LE(0, id);
	ASSERT_LE(0, before);
	addr = shmat(id, NULL, 0);
	ASSERT_NE((void *)-1, addr);
	r.addr = addr;
	r.fd = region_open_file(addr, PAGES * PAGE_BYTES);
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	close(r.fd);
	ASSERT_EQ(0, shmdt(addr));
	ASSERT_EQ(0, shmem_line_named("/SYSV00005107 (deleted)", &line));
	EXPECT_EQ((__u64)id, line.inode);
	EXPECT_EQ(PAGES, line.swapped);
	EXPECT_EQ(PAGES, line.pages);
	EXPECT_EQ(before + PAGES, sysv_swapped());
	ASSERT_EQ(0, shmctl(id, IPC_RMID, NULL));
	EXPECT_EQ(-ENOENT, shmem_line_named("/SYSV00005107 (deleted)", &line));
}

TEST_HARNESS_MAIN
