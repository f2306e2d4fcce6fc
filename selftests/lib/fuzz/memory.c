// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/fuzz/input.h"
#include "lib/fuzz/memory.h"
#include "lib/memory/region.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#define MADV_GUARD_REMOVE	103
#endif

int arena_map(struct arena **arena, __u64 seed)
{
	struct arena *a = mmap(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (a == MAP_FAILED)
		return -errno;
	*a = (struct arena){ .seed = seed };
	a->addr = mmap(NULL, ARENA_BYTES, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	a->fd = memfd_create("xpagemap-fuzz", MFD_CLOEXEC);
	if (a->addr == MAP_FAILED || a->fd < 0 || ftruncate(a->fd, FILE_PAGES * PAGE_BYTES))
		return -errno;
	*arena = a;
	return 0;
}

struct range {
	unsigned char *addr;
	size_t bytes;
};

static struct range some_range(const struct arena *a, size_t pages_max)
{
	size_t pages = 1 + input_below(pages_max), first = input_below(ARENA_PAGES - pages);

	return (struct range){ a->addr + first * PAGE_BYTES, pages * PAGE_BYTES };
}

static void map_some(const struct arena *a)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_ANONYMOUS,
				     MAP_PRIVATE | MAP_ANONYMOUS };
	struct range r = some_range(a, 700);
	int flags = kinds[input_below(4)];
	int fd = flags & MAP_ANONYMOUS ? -1 : a->fd;
	off_t at = fd < 0 ? 0 : input_below(FILE_PAGES) * PAGE_BYTES;

	mmap(r.addr, r.bytes, PROT_READ | (input_one_in(8) ? 0 : PROT_WRITE),
	     flags | MAP_FIXED | MAP_NORESERVE, fd, at);
}

/* SIGSEGV and SIGBUS are expected: writes and reads go through the kernel, which tells. */
static void touch_some(const struct arena *a)
{
	struct range r = some_range(a, 200);
	size_t at, step = PAGE_BYTES * (1 + input_below(3));
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char byte = input_below(2) ? 1 : 0;

	for (at = 0; at < r.bytes; at += step) {
		off_t place = (unsigned long)r.addr + at;
		ssize_t done = input_one_in(3) ? pread(fd, &byte, 1, place) :
						 pwrite(fd, &byte, 1, place);

		if (done < 0)
			break;
	}
	close(fd);
}

static void advise_some(const struct arena *a)
{
	static const int advice[] = { MADV_PAGEOUT, MADV_PAGEOUT, MADV_PAGEOUT, MADV_DONTNEED,
				      MADV_WILLNEED, MADV_REMOVE, MADV_COLLAPSE, MADV_HUGEPAGE,
				      MADV_GUARD_INSTALL, MADV_GUARD_REMOVE, MADV_FREE,
				      MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK };
	struct range r = some_range(a, 600);

	madvise(r.addr, r.bytes, advice[input_below(sizeof(advice) / sizeof(*advice))]);
}

static void move_some(const struct arena *a)
{
	struct range from = some_range(a, 300), to = some_range(a, 300);

	mremap(from.addr, from.bytes, to.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to.addr);
	/* The hole stays the arena's. */
	mmap(from.addr, from.bytes, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
}

static void change_file(const struct arena *a)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };
	size_t pages = 1 + input_below(200);

	if (input_one_in(10) && ftruncate(a->fd, input_below(FILE_PAGES) * PAGE_BYTES))
		return;
	fallocate(a->fd, modes[input_below(3)], input_below(FILE_PAGES - pages) * PAGE_BYTES,
		  pages * PAGE_BYTES);
}

static void fork_some(const struct arena *a)
{
	pid_t pid = fork();

	if (!pid) {
		touch_some(a);
		advise_some(a);
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void change(struct arena *a)
{
	switch (input_below(12)) {
	case 0 ... 1:
		return map_some(a);
	case 2 ... 5:
		return touch_some(a);
	case 6 ... 8:
		return advise_some(a);
	case 9:
		return move_some(a);
	case 10:
		return change_file(a);
	default:
		return fork_some(a);
	}
}

int arena_change(struct child *c, void *arg)
{
	struct arena *a = arg;

	input_start(a->seed);
	if (fcntl(c->in, F_SETFL, O_NONBLOCK) || !child_tell(c))
		return 1;
	while (!child_hear(c) && errno == EAGAIN) {
		change(a);
		__atomic_fetch_add(&a->changes, 1, __ATOMIC_RELAXED);
	}
	return 0;
}
