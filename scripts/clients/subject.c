// SPDX-License-Identifier: GPL-2.0
/*
 * Three processes whose pages are in as many states as there are: for
 * scripts/clients/drgn.sh. Writes its PIDs and waits for the end of its input.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define HUGE_PAGE	(2UL << 20)

static volatile char sink;

static char *map(size_t pages, int flags, int fd)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		error(1, errno, "mmap");
	return p;
}

/* Writes pages of [from, to) whose number divided by @step leaves a remainder. */
static void fill(char *p, size_t from, size_t to, size_t step, char seed)
{
	for (size_t i = from; i < to; i++)
		if (i % step)
			memset(p + i * PAGE, seed + i % 64, PAGE);
}

static void read_each(char *p, size_t from, size_t to, size_t step)
{
	for (size_t i = from; i < to; i += step)
		sink += p[i * PAGE];
}

static void page_out(char *p, size_t from, size_t to)
{
	if (madvise(p + from * PAGE, (to - from) * PAGE, MADV_PAGEOUT))
		error(1, errno, "MADV_PAGEOUT");
}

static int memfd(const char *name, size_t pages)
{
	int fd = memfd_create(name, 0);

	if (fd < 0 || ftruncate(fd, pages * PAGE))
		error(1, errno, "memfd");
	return fd;
}

static char *huge(size_t count, int flags, int fd)
{
	char *p = map((count + 1) * HUGE_PAGE / PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	p = (char *)(((unsigned long)p + HUGE_PAGE - 1) & -HUGE_PAGE);
	if (mmap(p, count * HUGE_PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		error(1, errno, "mmap");
	if (madvise(p, count * HUGE_PAGE, MADV_HUGEPAGE))
		error(1, errno, "MADV_HUGEPAGE");
	return p;
}

/* A child that lives until its parent ends; the parent goes on when it has done its part. */
static void child(void (*part)(void))
{
	int done[2];
	pid_t pid;
	char byte;

	if (pipe(done))
		error(1, errno, "pipe");
	pid = fork();
	if (pid < 0)
		error(1, errno, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		part();
		printf("%d\n", getpid());
		fflush(stdout);
		if (write(done[1], "", 1) != 1)
			error(1, errno, "pipe");
		for (;;)
			pause();
	}
	if (read(done[0], &byte, 1) != 1)
		error(1, errno, "child");
	close(done[0]);
	close(done[1]);
}

static char *anon, *thp, *split, *file, *shared, *private, *large, *same, *sysv, *own;

static void grandchild_part(void)
{
	fill(anon, 0, 64, 3, 7);
	read_each(anon, 256, 320, 2);
	read_each(large, 0, 16, 2);
	page_out(private, 64, 128);
}

static void child_part(void)
{
	fill(anon, 100, 300, 5, 3);
	memset(thp, 3, PAGE);
	fill(private, 0, 100, 4, 5);
	read_each(file, 0, 200, 7);
	munmap(shared, 32 * PAGE);
	child(grandchild_part);
}

int main(void)
{
	int fd = memfd("judged", 1024), huge_fd = memfd("judged-large", 2 * HUGE_PAGE / PAGE);
	int id = shmget(IPC_PRIVATE, 128 * PAGE, 0600);

	anon = map(512, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	file = map(1024, MAP_SHARED, fd);
	shared = map(256, MAP_SHARED | MAP_ANONYMOUS, -1);
	private = map(256, MAP_PRIVATE, fd);
	same = map(64, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	sysv = shmat(id, NULL, 0);
	if (id < 0 || sysv == (void *)-1 || shmctl(id, IPC_RMID, NULL))
		error(1, errno, "shmget");
	thp = huge(2, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	split = huge(2, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	large = huge(2, MAP_SHARED, huge_fd);

	read_each(anon, 0, 512, 8);
	fill(anon, 0, 480, 4, 1);
	fill(file, 0, 1000, 4, 2);
	fill(shared, 0, 256, 3, 0);
	memset(sysv, 9, 100 * PAGE);
	memset(sysv + 100 * PAGE, 0, 28 * PAGE);
	memset(thp, 1, 2 * HUGE_PAGE);
	memset(split, 2, 2 * HUGE_PAGE);
	memset(large, 4, 2 * HUGE_PAGE);
	memset(same, 6, 64 * PAGE);
	if (madvise(same, 64 * PAGE, MADV_MERGEABLE))
		error(1, errno, "MADV_MERGEABLE");
	/* One huge page by PTEs, with a hole. */
	madvise(split + 17 * PAGE, PAGE, MADV_DONTNEED);
	page_out(anon, 128, 256);
	page_out(file, 0, 512);
	page_out(sysv, 64, 128);
	page_out(large, 0, 512);
	fill(private, 0, 64, 2, 8);
	child(child_part);
	fill(anon, 200, 240, 2, 4);
	/* Swapped after the fork, and never shared. */
	own = map(64, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fill(own, 0, 64, 5, 11);
	page_out(own, 0, 48);
	read_each(own, 8, 16, 1);
	page_out(anon, 300, 400);
	page_out(shared, 128, 256);
	page_out(split, 512, 600);
	read_each(anon, 300, 340, 3);
	read_each(file, 0, 64, 5);
	madvise(file + 600 * PAGE, 16 * PAGE, MADV_REMOVE);
	printf("%d\n", getpid());
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
