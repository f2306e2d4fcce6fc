// SPDX-License-Identifier: GPL-2.0
/*
 * The `mapped` lines of PID/page, against the frames and slots in /proc/PID/pagemap of all
 * processes: each address that has the page is listed, and no other.
 */
#include <dirent.h>
#include <sched.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		8
#define CHILDREN	4
#define CHUNK		4096	/* entries read at once */
#define LOCATION	((1ULL << 55) - 1)

FIXTURE(page_sharers) {
	struct region r;
	struct exclusive ex;
	struct child children[CHILDREN];
	int fd;
};

FIXTURE_SETUP(page_sharers)
{
	ASSERT_EQ(0, region_map_apart(&self->r, PAGES));
	region_fill(&self->r);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->fd = page_open(getpid());
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(page_sharers)
{
	size_t i;

	close(self->fd);
	for (i = 0; i < CHILDREN; i++)
		if (self->children[i].pid > 0)
			child_kill(&self->children[i]);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	region_free(&self->r);
}

/* Counts the entries of a range that equal @wanted, and those of them that are listed. */
static int count_range(int proc, pid_t pid, unsigned long start, unsigned long end,
		       __u64 wanted, const struct page_view *v, size_t *there, size_t *listed)
{
	static __u64 entries[CHUNK];
	long got, i;

	for (; start < end; start += got * PAGE_BYTES) {
		size_t pages = (end - start) / PAGE_BYTES;

		got = pagemap_read(proc, (void *)start, entries, pages < CHUNK ? pages : CHUNK);
		if (got <= 0)
			return got ?: -ENODATA;
		for (i = 0; i < got; i++) {
			if ((entries[i] & (LOCATION | PM_PRESENT | PM_SWAP)) != wanted)
				continue;
			(*there)++;
			*listed += page_has_sharer(v, pid, (void *)(start + i * PAGE_BYTES));
		}
	}
	return 0;
}

/* The same for all addresses of a process. */
static int count_process(pid_t pid, __u64 wanted, const struct page_view *v, size_t *there,
			 size_t *listed)
{
	int proc = proc_pagemap_open(pid), err = 0;
	unsigned long start, end;
	char path[64], line[512];
	FILE *maps;

	if (proc < 0)
		return 0;	/* gone */
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && !err && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && !strstr(line, "[vsyscall]"))
			err = count_range(proc, pid, start, end, wanted, v, there, listed);
	if (maps)
		fclose(maps);
	close(proc);
	return err;
}

/* Compares the sharers of the page at @addr with all processes; @sharers are expected. */
static void expect_sharers(struct __test_metadata *_metadata, const struct exclusive *ex,
			   int fd, const void *addr, size_t sharers)
{
	size_t there = 0, listed = 0;
	struct page_view v;
	struct dirent *d;
	__u64 entry;
	int err = 0;
	DIR *proc;

	ASSERT_EQ(0, page_at(fd, addr, &v));
	EXPECT_EQ(0, v.comments);
	ASSERT_EQ(1, pagemap_read(ex->proc, addr, &entry, 1));
	proc = opendir("/proc");
	ASSERT_NE(NULL, proc);
	entry &= LOCATION | PM_PRESENT | PM_SWAP;
	while ((d = readdir(proc)) && !err)
		if (atoi(d->d_name) > 0)
			err = count_process(atoi(d->d_name), entry, &v, &there, &listed);
	closedir(proc);
	EXPECT_EQ(0, err);
	EXPECT_EQ(sharers, there);
	EXPECT_EQ(there, listed);
	EXPECT_EQ(there, v.sharers);
}

/* Moves the page to another address, tells, and waits. */
static int move_and_wait(struct child *c, void *arg)
{
	struct region *r = arg;

	if (region_move(r) || !child_tell(c))
		return 1;
	return child_hear(c);
}

TEST_F(page_sharers, children_at_the_same_and_at_other_addresses)
{
	struct region moved = self->r;
	size_t i;

	expect_sharers(_metadata, &self->ex, self->fd, self->r.addr, 1);
	for (i = 0; i < CHILDREN; i++) {
		if (i % 2) {
			ASSERT_EQ(0, child_start(&self->children[i], move_and_wait, &moved));
			ASSERT_TRUE(child_hear(&self->children[i]));
		} else {
			ASSERT_EQ(0, child_start_idle(&self->children[i]));
		}
	}
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&self->r, 3), CHILDREN + 1);
	child_kill(&self->children[1]);
	self->children[1].pid = 0;
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&self->r, 3), CHILDREN);
	region_fill(&self->r);
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&self->r, 3), 1);
}

/* Slots are found where a child has moved its entries to, too. */
TEST_F(page_sharers, swap_slots)
{
	struct region moved = self->r;

	ASSERT_EQ(0, region_pageout(&self->r));
	expect_sharers(_metadata, &self->ex, self->fd, self->r.addr, 1);
	ASSERT_EQ(0, child_start_idle(&self->children[0]));
	expect_sharers(_metadata, &self->ex, self->fd, self->r.addr, 2);
	ASSERT_EQ(0, child_start(&self->children[1], move_and_wait, &moved));
	ASSERT_TRUE(child_hear(&self->children[1]));
	expect_sharers(_metadata, &self->ex, self->fd, self->r.addr, 3);
}

TEST_F(page_sharers, huge_page)
{
	struct region thp;

	ASSERT_EQ(0, thp_map(&thp, 1));
	ASSERT_EQ(0, child_start_idle(&self->children[0]));
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&thp, 300), 2);
	/* One process maps it by PTEs, the other by its PMD. */
	ASSERT_EQ(0, mprotect(thp.addr, PAGE_BYTES, PROT_READ));
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&thp, 300), 2);
	region_free(&thp);
}

TEST_F(page_sharers, hugetlb)
{
	struct setting pool = {};
	struct region r;

	ASSERT_EQ(0, hugetlb_reserve(&pool, 2));
	ASSERT_EQ(0, hugetlb_map(&r, PMD_PAGES));
	ASSERT_EQ(0, child_start_idle(&self->children[0]));
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&r, 5), 2);
	child_kill(&self->children[0]);
	self->children[0].pid = 0;
	region_free(&r);
	EXPECT_EQ(0, setting_restore(&pool));
}

/* A page of the program is mapped by many processes, or by this one alone. */
TEST_F(page_sharers, file_pages)
{
	struct region file, view;

	ASSERT_EQ(0, region_map_memfd(&file, PAGES));
	region_fill(&file);
	ASSERT_EQ(0, region_map_view(&view, &file, 1, 4, MAP_PRIVATE));
	ASSERT_EQ(0, madvise(view.addr, 4 * PAGE_BYTES, MADV_POPULATE_READ));
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&file, 2), 2);
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&view, 1), 2);
	region_unmap(&view);
	region_free(&file);
}

TEST_F(page_sharers, merged_pages)
{
	struct ksm ksm = {};
	struct region r;

	ASSERT_EQ(0, region_map_apart(&r, 20));
	memset(r.addr, 0x77, 20 * PAGE_BYTES);
	ASSERT_EQ(0, madvise(r.addr, 20 * PAGE_BYTES, MADV_MERGEABLE));
	ASSERT_EQ(0, ksm_start(&ksm));
	ASSERT_EQ(0, ksm_wait(2));
	ASSERT_EQ(0, ksm_pause());
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&r, 7), 20);
	ASSERT_EQ(0, child_start_idle(&self->children[0]));
	expect_sharers(_metadata, &self->ex, self->fd, region_page(&r, 7), 40);
	child_kill(&self->children[0]);
	self->children[0].pid = 0;
	EXPECT_EQ(0, ksm_stop(&ksm));
	region_free(&r);
}

/* PIDs are those of the reader's namespace; a process outside it has none there. */
struct inside {
	pid_t outside;
	const unsigned char *addr;
	struct page_view view;
	int err;
};

static int read_inside(struct child *c, void *arg)
{
	struct inside *in = arg;
	int status, fd;
	pid_t pid;

	(void)c;
	if (unshare(CLONE_NEWPID))
		return 1;
	pid = fork();
	if (pid < 0)
		return 2;
	if (!pid) {
		in->err = attach(1);
		fd = in->err ? -1 : page_open(1);
		if (fd >= 0)
			in->err = page_at(fd, in->addr, &in->view);
		_exit(fd < 0 || (close(fd), detach(1)));
	}
	if (waitpid(pid, &status, 0) != pid)
		return 3;
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

TEST_F(page_sharers, other_pid_namespace)
{
	struct inside *in = mmap(NULL, sizeof(*in), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child c;

	ASSERT_NE(MAP_FAILED, in);
	in->addr = self->r.addr;
	ASSERT_EQ(0, child_start(&c, read_inside, in));
	EXPECT_EQ(0, child_wait(&c));
	ASSERT_EQ(0, in->err);
	EXPECT_EQ(3, in->view.sharers);
	EXPECT_TRUE(page_has_sharer(&in->view, 1, self->r.addr));
	EXPECT_TRUE(page_has_sharer(&in->view, 0, self->r.addr));
	munmap(in, sizeof(*in));
}

TEST_HARNESS_MAIN
