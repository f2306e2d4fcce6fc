// SPDX-License-Identifier: GPL-2.0
/*
 * criu-subject KIND DIR: a process and its child with a shared mapping of 8 chunks, for
 * scripts/clients/criu.sh. By number modulo 4, a chunk is written, written with zeroes, read only,
 * or left alone. The first four are swapped out; then DIR/half holds the PID, and a SIGUSR1 is
 * waited for before the others. DIR/ready holds the PID, the child's, and the mapping's address
 * range. On SIGUSR1 both compare each byte, and DIR/parent and DIR/child hold the number of pages
 * that are wrong; at the end there is DIR/done.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096UL
#define CHUNK	(2UL << 20)
#define CHUNKS	8
#define SIZE	(CHUNK * CHUNKS)

enum content { WRITTEN, ZEROES, READ, ALONE };

/* The same mapping, but for a private one. */
static unsigned char *map, *file;
static int private;
/* The parent's last message, in a page left alone: seen by the child if the memory is shared. */
static unsigned char message;

#define MESSAGE_AT	(SIZE - PAGE)

/* Differs from page to page, and is nowhere zero. */
static unsigned char pattern(unsigned long at, unsigned int seed)
{
	return 1 + (at * 31 + at / PAGE * 7 + seed) % 255;
}

static int seed_of(unsigned long at)
{
	/* Every fourth page of a private mapping is the process's own. */
	return private && at / PAGE % 4 == 0 ? 100 : 0;
}

static unsigned char expected(unsigned long at)
{
	if (at == MESSAGE_AT)
		return message;
	return at / CHUNK % 4 == WRITTEN ? pattern(at, seed_of(at)) : 0;
}

static unsigned char *map_fd(int fd, int flags)
{
	/* On a boundary of huge pages. */
	unsigned char *at = mmap(NULL, SIZE + CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	at += CHUNK - (unsigned long)at % CHUNK;
	if (fd < 0)
		flags |= MAP_ANONYMOUS;
	at = mmap(at, SIZE, PROT_READ | PROT_WRITE, MAP_FIXED | flags, fd, 0);
	if (at == MAP_FAILED)
		err(1, "mmap");
	return at;
}

static int open_sized(int fd)
{
	if (fd < 0 || ftruncate(fd, SIZE))
		err(1, "file of %lu bytes", SIZE);
	return fd;
}

static int map_kind(const char *kind)
{
	int fd = -1, id;

	if (!strncmp(kind, "memfd", 5)) {
		fd = open_sized(memfd_create("subject", 0));
	} else if (!strncmp(kind, "tmpfs", 5)) {
		fd = open_sized(open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
		if (!strcmp(kind, "tmpfs-unlinked"))
			unlink("file");
	} else if (!strcmp(kind, "sysv")) {
		/* CRIU dumps segments with their namespace only. */
		if (unshare(CLONE_NEWIPC))
			err(1, "unshare");
		id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
		map = shmat(id, NULL, 0);
		if (map == (void *)-1)
			err(1, "shmat");
		return -1;
	} else if (strcmp(kind, "anonymous")) {
		errx(2, "no such kind: %s", kind);
	}
	map = map_fd(fd, MAP_SHARED);
	return fd;
}

/* A half of the file, and of the private mapping of it if there is one. */
static void fill(unsigned long from, unsigned long to)
{
	unsigned long at;

	for (at = from; at < to; at++)
		if (at / CHUNK % 4 == WRITTEN)
			file[at] = pattern(at, 0);
		else if (at / CHUNK % 4 == ZEROES)
			((volatile unsigned char *)file)[at] = 0;
		else if (at / CHUNK % 4 == READ)
			(void)((volatile unsigned char *)file)[at];
	for (at = from; at < to; at++)
		if (at / CHUNK % 4 == WRITTEN && seed_of(at))
			map[at] = pattern(at, seed_of(at));
}

static void report(const char *name, const char *text)
{
	char part[64];
	FILE *file;

	snprintf(part, sizeof(part), "%s.part", name);
	file = fopen(part, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) || rename(part, name))
		err(1, "%s", name);
}

static void verify(const char *name)
{
	unsigned long at, wrong = 0, last = ~0UL;
	char text[32];

	for (at = 0; at < SIZE; at++)
		if (map[at] != expected(at) && at / PAGE != last) {
			last = at / PAGE;
			wrong++;
		}
	snprintf(text, sizeof(text), "%lu\n", wrong);
	report(name, text);
}

int main(int argc, char **argv)
{
	char text[128];
	sigset_t set;
	pid_t child;
	int fd, got;

	if (argc != 3 || chdir(argv[2]))
		errx(2, "usage: criu-subject KIND DIR");
	/* CRIU cannot dump the guest's ports. */
	close_range(3, ~0U, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = map_kind(argv[1]);
	file = map;
	private = !strcmp(argv[1], "memfd-private");
	if (private)
		map = map_fd(fd, MAP_PRIVATE);
	fill(0, SIZE / 2);
	if (madvise(map, SIZE / 2, MADV_PAGEOUT) || madvise(file, SIZE / 2, MADV_PAGEOUT))
		err(1, "madvise");
	snprintf(text, sizeof(text), "%d\n", getpid());
	report("half", text);
	sigwait(&set, &got);
	fill(SIZE / 2, SIZE);
	if (private) {
		munmap(file, SIZE);
		close(fd);
	}
	child = fork();
	if (!child) {
		sigwait(&set, &got);
		message = private ? 0 : 77;
		verify("child");
		return 0;
	}
	snprintf(text, sizeof(text), "%d %d %lx-%lx\n", getpid(), child,
		 (unsigned long)map, (unsigned long)map + SIZE);
	report("ready", text);
	sigwait(&set, &got);
	verify("parent");
	map[MESSAGE_AT] = 77;
	kill(child, SIGUSR1);
	waitpid(child, NULL, 0);
	report("done", "");
	return 0;
}
