// SPDX-License-Identifier: GPL-2.0
/* attach_file: a file that `shmem` lists, by its ID; and files/ID/summary. */
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"
#include "lib/pagemap/shmemscan.h"

#define PAGES 300	/* more than one window */

FIXTURE(attach_file) {
	struct region region;	/* of a memfd, in swap and not in the swap cache */
	struct cgroup cg;
	struct shmem_line line;
	struct control_state before;
	bool attached;
};

FIXTURE_SETUP(attach_file)
{
	TEARDOWN_FROM_HERE();
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, shmem_line_of(self->region.fd, &self->line));
	self->before = control_state_now();
}

FIXTURE_TEARDOWN_PARENT(attach_file)
{
	if (self->attached)
		detach_fd(self->line.id);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* The file's bytes are found by its ID alone, with nobody having it open. */
TEST_F(attach_file, of_a_file_that_nobody_maps)
{
	struct region *r = &self->region;
	struct swap_place places[PAGES];
	__u64 entries[PAGES];
	size_t i;
	int fd;

	region_unmap(r);
	ASSERT_EQ(0, attach_file(self->line.id));
	self->attached = true;
	fd = filemap_open(self->line.id);
	ASSERT_LE(0, fd);
	ASSERT_EQ(PAGES, filemap_read(fd, 0, entries, PAGES));
	close(fd);
	ASSERT_EQ(0, places_of_file(r, self->line.id, places));
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(PM_SWAP | PM_FILE, entries[i] & ~(PM_SWAP_OFFSET | PM_SWAP_TYPE));
		EXPECT_EQ(places[i].offset, pm_swap_offset(entries[i]));
	}
	EXPECT_EQ(PAGES, places_on_disk(r, places));
	/* The attached file stays when it is closed, and in the list. */
	close(r->fd);
	EXPECT_EQ(PAGES, places_on_disk(r, places));
	EXPECT_EQ(PAGES, file_summary(self->line.id, "swapped"));
	ASSERT_EQ(0, shmem_line_named("(deleted)", &self->line));
	EXPECT_EQ(PAGES, self->line.swapped);
	EXPECT_EQ(0, detach_fd(self->line.id));
	self->attached = false;
	EXPECT_EQ(-ENOENT, shmem_line_named("(deleted)", &self->line));
	r->fd = -1;
}

TEST_F(attach_file, attached_once)
{
	EXPECT_EQ(0, attach_file(self->line.id));
	self->attached = true;
	EXPECT_EQ(-EEXIST, attach_file(self->line.id));
	EXPECT_EQ(-EEXIST, attach_fd(self->region.fd));
	/* Also when it has nothing in swap any more. */
	EXPECT_EQ(0, region_damaged(&self->region));
	EXPECT_EQ(-EEXIST, attach_file(self->line.id));
	EXPECT_EQ(0, detach_fd(self->line.id));
	self->attached = false;
	EXPECT_EQ(-ENOENT, attach_file(self->line.id));
	EXPECT_EQ(-ENOENT, detach_fd(self->line.id));
	EXPECT_EQ(0, attach_fd(self->region.fd));
	EXPECT_EQ(-EEXIST, attach_file(self->line.id));
	EXPECT_EQ(0, detach_fd(self->line.id));
}

TEST_F(attach_file, malformed)
{
	static const char * const malformed[] = {
		"", "\n", "1", "0:1", "0:1:", ":1:2", "a:b:c", "0:1:-2", "0:1:2 ", " 0:1:2",
		"0:1:2:", "0:1:2:x", "0:1:2:3:4", "0:1:2:4294967296", "0:1:2:3\n\n",
		"4294967296:1:2", "0:1:18446744073709551616", "0:1:2,3", "0x0:1:2",
		"00000000000000000000000000000000000000000000000000000000000000000:1:2",
	};
	char none[FILE_ID + 8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		EXPECT_EQ(-EINVAL, write_text(XPAGEMAP_ATTACH_FILE, "%s", malformed[i]))
			TH_LOG("attach_file \"%s\"", malformed[i]);
		EXPECT_EQ(-EINVAL, write_text(XPAGEMAP_DETACH_FD, "%s", malformed[i]))
			TH_LOG("detach_fd \"%s\"", malformed[i]);
	}
	EXPECT_EQ(-ENOENT, attach_file("0:0:0"));
	EXPECT_EQ(-ENOENT, attach_file("4294967295:4294967295:18446744073709551615:4294967295"));
	/* The right file of the wrong generation: one of two is wrong. */
	snprintf(none, sizeof(none), "%s:1", self->line.id);
	EXPECT_EQ(-ENOENT, attach_file(none));
	EXPECT_EQ(-EFAULT, write_file(XPAGEMAP_ATTACH_FILE, NULL, 8));
	EXPECT_TRUE(control_unchanged(self->before));
}

static int try_all(struct child *c, void *arg)
{
	const char *id = arg;

	(void)c;
	if (drop_capability(CAP_SYS_ADMIN))
		return 1;
	if (attach_file(id) != -EPERM || open(XPAGEMAP_SHMEM, O_RDONLY) >= 0 || errno != EPERM)
		return 2;
	return setgid(65534) || setuid(65534) || attach_file(id) != -EACCES ||
	       open(XPAGEMAP_SHMEM, O_RDONLY) >= 0 || errno != EACCES ? 3 : 0;
}

TEST_F(attach_file, who_may)
{
	struct child c;
	struct stat st;
	int status;

	ASSERT_EQ(0, child_start(&c, try_all, self->line.id));
	status = child_wait(&c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(control_unchanged(self->before));
	ASSERT_EQ(0, stat(XPAGEMAP_SHMEM, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);
	ASSERT_EQ(0, stat(XPAGEMAP_ATTACH_FILE, &st));
	EXPECT_EQ(0200, st.st_mode & 07777);
}

/* An attached inode does not keep its file system busy; it is readable after umount(). */
TEST_F(attach_file, unmounted_when_attached)
{
	struct shmem_line line;
	struct swap_place places[PAGES];
	struct mounted fs;
	struct region r;
	int fd;

	ASSERT_EQ(0, mounted_tmpfs(&fs, "size=100m"));
	fd = mounted_file(&fs, "attached", PAGES);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, region_map(&r, NULL, PAGES, MAP_SHARED, fd, 0));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&r);
	ASSERT_EQ(0, cgroup_leave());
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, cgroup_drop_swap_cache(&self->cg));
	ASSERT_EQ(0, shmem_line_named("/attached", &line));
	region_free(&r);
	ASSERT_EQ(0, attach_file(line.id));
	ASSERT_EQ(0, umount(fs.dir));
	rmdir(fs.dir);
	EXPECT_EQ(0, places_of_file(&r, line.id, places));
	EXPECT_EQ(PAGES, places_on_disk(&r, places));
	EXPECT_EQ(0, detach_fd(line.id));
	EXPECT_EQ(-ENOENT, shmem_line_named("/attached", &line));
}

struct segment {
	struct cgroup *cg;
	__u64 id;	/* of its pages' contents */
	int shm;	/* out */
};

/* In an IPC namespace of its own: the first segment, in swap, without attachment. */
static int hold_segment(struct child *c, void *arg)
{
	struct segment *s = arg;
	struct region r = { .pages = PAGES, .id = s->id };

	if (unshare(CLONE_NEWIPC))
		return 1;
	s->shm = shmget(IPC_PRIVATE, PAGES * PAGE_BYTES, IPC_CREAT | 0600);
	if (s->shm < 0)
		return 2;
	r.addr = shmat(s->shm, NULL, 0);
	r.fd = region_open_file(r.addr, PAGES * PAGE_BYTES);
	if (r.fd < 0 || cgroup_enter(s->cg))
		return 3;
	region_fill(&r);
	if (cgroup_leave() || region_pageout(&r) || cgroup_drop_swap_cache(s->cg) ||
	    shmdt(r.addr))
		return 4;
	close(r.fd);
	if (!child_tell(c))
		return 5;
	child_hear(c);
	return 0;
}

/* Each of the files that `shmem` has for one inode number has the bytes of one segment. */
static void expect_segment(struct __test_metadata *_metadata, const struct shmem_line *line,
			   const struct segment *s, size_t *found)
{
	struct region r = { .pages = PAGES };
	struct swap_place places[PAGES];
	size_t i;

	EXPECT_TRUE(line->has_generation);
	ASSERT_EQ(0, attach_file(line->id));
	EXPECT_EQ(-EEXIST, attach_file(line->id));
	ASSERT_EQ(0, places_of_file(&r, line->id, places));
	EXPECT_EQ(PAGES, places_count(places, PAGES, PLACE_DISK));
	EXPECT_EQ(PAGES, file_summary(line->id, "disk"));
	for (i = 0; i < 2; i++) {
		r.id = s[i].id;
		found[i] += places_on_disk(&r, places) == PAGES;
	}
}

TEST_F(attach_file, same_number_in_two_ipc_namespaces)
{
	struct segment *s = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct shmem_line lines[2] = {}, line;
	size_t i, count = 0, found[2] = {};
	struct shmem_list list;
	struct child c[2];
	char small[FILE_ID];

	for (i = 0; i < 2; i++) {
		s[i].cg = &self->cg;
		s[i].id = pattern_new_id();
		ASSERT_EQ(0, child_start(&c[i], hold_segment, &s[i]));
		ASSERT_TRUE(child_hear(&c[i]));
	}
	ASSERT_EQ(s[0].shm, s[1].shm);
	ASSERT_EQ(0, shmem_list_read(&list));
	for (i = 0; i < list.count; i++) {
		if (strncmp(list.lines[i].name, "/SYSV00000000", 13) ||
		    list.lines[i].inode != (__u64)s[0].shm)
			continue;
		if (count < 2)
			lines[count] = list.lines[i];
		count++;
	}
	shmem_list_free(&list);
	ASSERT_EQ(2, count);
	EXPECT_NE(0, strcmp(lines[0].id, lines[1].id));
	snprintf(small, sizeof(small), "%u:%u:%llu", lines[0].major, lines[0].minor,
		 lines[0].inode);
	EXPECT_EQ(-EINVAL, attach_file(small));
	EXPECT_EQ(-EINVAL, detach_fd(small));
	expect_segment(_metadata, &lines[0], s, found);
	expect_segment(_metadata, &lines[1], s, found);
	EXPECT_EQ(1, found[0]);
	EXPECT_EQ(1, found[1]);
	EXPECT_EQ(-EINVAL, detach_fd(small));
	EXPECT_EQ(0, detach_fd(lines[0].id));
	EXPECT_EQ(-EINVAL, detach_fd(small));
	EXPECT_EQ(0, detach_fd(lines[1].id));
	EXPECT_EQ(-ENOENT, detach_fd(lines[1].id));
	/* One namespace ends: the other's segment has the number for itself. */
	child_kill(&c[0]);
	for (i = 0; i < 500 && shmem_line_named("/SYSV00000000 (deleted)", &line); i++)
		usleep(20000);
	ASSERT_EQ(0, shmem_line_named("/SYSV00000000 (deleted)", &line));
	EXPECT_EQ(0, strcmp(small, line.id));
	EXPECT_EQ(0, attach_file(small));
	EXPECT_EQ(0, detach_fd(small));
	child_kill(&c[1]);
}

/* Zero, written, read-only and fallocated pages, in memory and in swap. */
TEST_F(attach_file, summary_agrees_with_the_pages)
{
	struct region *r = &self->region;
	const char *id = self->line.id;
	struct shmemscan_page pages[PAGES];
	long long cached = 0, dirty = 0, swapped = 0, zero = 0, disk, cache;
	struct swap_place places[PAGES];
	size_t i;

	/* Allocated ahead, so clean; a hole; zeroes in swap; some in memory. */
	ASSERT_EQ(0, fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       50 * PAGE_BYTES));
	ASSERT_EQ(0, fallocate(r->fd, 0, 20 * PAGE_BYTES, 10 * PAGE_BYTES));
	for (i = 60; i < 90; i++)
		memset(region_page(r, i), 0, PAGE_BYTES);
	ASSERT_EQ(0, region_pageout_pages(r, 60, 30));
	for (i = 100; i < 120; i++)
		region_fill_page(r, i);
	ASSERT_EQ(0, attach_file(id));
	self->attached = true;
	ASSERT_EQ(0, shmemscan_pages(r->fd, 0, PAGES, 64, pages));
	ASSERT_EQ(0, places_of_file(r, id, places));
	for (i = 0; i < PAGES; i++) {
		cached += !!(pages[i].categories & SHMEM_IS_CACHED);
		dirty += !!(pages[i].categories & SHMEM_IS_DIRTY);
		swapped += !!(pages[i].categories & SHMEM_IS_SWAPPED);
		zero += !!(pages[i].categories & SHMEM_IS_ZERO);
	}
	disk = places_count(places, PAGES, PLACE_DISK);
	cache = places_count(places, PAGES, PLACE_CACHE);
	EXPECT_LE(10, cached - dirty);
	EXPECT_LE(20, dirty);
	EXPECT_EQ(30, zero);
	EXPECT_EQ(PAGES, file_summary(id, "pages"));
	EXPECT_EQ(cached, file_summary(id, "cached"));
	EXPECT_EQ(dirty, file_summary(id, "dirty"));
	EXPECT_EQ(swapped, file_summary(id, "swapped"));
	EXPECT_EQ(disk, file_summary(id, "disk"));
	EXPECT_EQ(cache, file_summary(id, "cache"));
	EXPECT_EQ(swapped - disk - cache, file_summary(id, "zero"));
	EXPECT_EQ(0, file_summary(id, "zswap"));
	EXPECT_EQ(0, file_summary(id, "none"));
	EXPECT_EQ(0, detach_fd(id));
	self->attached = false;
}

TEST_HARNESS_MAIN
