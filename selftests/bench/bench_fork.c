// SPDX-License-Identifier: GPL-2.0
/*
 * Costs of tracing PG_anon_exclusive: fork, then writes to 16 MiB. The writes copy
 * while the child lives, and reuse the pages after its exit. Prints one JSON object
 * per line. Under `qemu/run.sh --icount` the clock counts instructions: ns are
 * instructions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/lib.h"

#define PAGES	4096UL	/* 16 MiB */
#define ROUNDS	7

static void die(const char *what, long err)
{
	fprintf(stderr, "bench_fork: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	exit(1);
}

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Writes to all pages, each of which fork has shared. */
static void write_all(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		*(char *)region_page(r, i) += 1;
}

/* Returns the ns of a fork, writes to all pages, and the child's exit. */
static long long loop(const struct region *r, bool copy)
{
	long long start = now();
	int fds[2];
	pid_t child;
	char byte;

	if (pipe(fds))
		die("pipe", 0);
	child = fork();
	if (child < 0)
		die("fork", 0);
	if (!child) {
		close(fds[1]);
		_exit(copy ? read(fds[0], &byte, 1) : 0);
	}
	close(fds[0]);
	if (copy)
		write_all(r);
	close(fds[1]);
	if (waitpid(child, NULL, 0) != child)
		die("waitpid", 0);
	if (!copy)
		write_all(r);
	return now() - start;
}

static void measure(const struct region *r, bool copy, const char *tracing)
{
	long long least = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		long long took = loop(r, copy);

		if (!i || took < least)
			least = took;
	}
	printf("{\"loop\": \"fork, then writes that %s\", \"tracing\": \"%s\", \"ns\": %lld}\n",
	       copy ? "copy" : "reuse", tracing, least);
	fflush(stdout);
}

static void measure_both(const struct region *r, const char *tracing)
{
	measure(r, true, tracing);
	measure(r, false, tracing);
}

static void switch_tracing(const char *on)
{
	char path[64];
	int err;

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/trace", getpid());
	err = write_text(path, "%s", on);
	if (err)
		die(path, err);
}

int main(void)
{
	struct region r;
	int err = region_map_private_anon(&r, PAGES);

	if (err)
		die("mmap", err);
	madvise(r.addr, PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
	region_fill(&r);
	measure_both(&r, "off");
	if (source_is_proc())
		return 0;
	err = attach(getpid());
	if (err)
		die("attach", err);
	switch_tracing("1\n");
	measure_both(&r, "on");
	switch_tracing("0\n");
	detach(getpid());
	return 0;
}
