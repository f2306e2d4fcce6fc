// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/fuzz/fuzz.h"
#include "lib/fuzz/input.h"
#include "lib/memory/region.h"
#include "lib/pagemap/filemap.h"
#include "lib/pagemap/source.h"

static int start_target(struct fuzz *f, size_t i)
{
	int err;

	f->arena->seed = input_word();
	err = child_start(&f->target[i], arena_change, f->arena);
	if (err)
		return err;
	return child_hear(&f->target[i]) ? 0 : -ECHILD;
}

int fuzz_start(struct fuzz *f, __u64 seed)
{
	size_t i;
	int err;

	*f = (struct fuzz){};
	err = arena_map(&f->arena, seed);
	if (err)
		return err;
	f->file[0] = f->arena->fd;
	f->file[1] = memfd_create("xpagemap-fuzz-other", MFD_CLOEXEC);
	if (f->file[1] < 0 || ftruncate(f->file[1], FILE_PAGES * PAGE_BYTES))
		return -errno;
	for (i = 0; i < FUZZ_FILES; i++)
		file_id(f->file[i], f->id[i], sizeof(f->id[i]));
	f->buffer = mmap(NULL, FUZZ_BUFFER, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f->bad = mmap(NULL, FUZZ_BUFFER, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (f->buffer == MAP_FAILED || f->bad == MAP_FAILED)
		return -errno;
	for (i = 0; i < FUZZ_TARGETS && !err; i++)
		err = start_target(f, i);
	return err;
}

int fuzz_stop(struct fuzz *f)
{
	int err = 0;
	size_t i;

	for (i = 0; i < FUZZ_TARGETS; i++) {
		if (f->attached[i] && detach(f->target[i].pid))
			err = -EPROTO;
		child_kill(&f->target[i]);
	}
	for (i = 0; i < FUZZ_FILES; i++)
		if (f->file_attached[i] && detach_fd(f->id[i]))
			err = -EPROTO;
	return err;
}

const char *fuzz_exit(struct fuzz *f)
{
	size_t i = input_below(FUZZ_TARGETS);
	pid_t pid = f->target[i].pid;
	__u64 entry;
	int fd;

	snprintf(f->what, sizeof(f->what), "exit of %d", pid);
	fd = f->attached[i] ? target_open(pid) : -1;
	if (f->attached[i] && fd < 0)
		return "pagemap of a target cannot be opened";
	child_kill(&f->target[i]);
	if (f->attached[i]) {
		f->result = pread(fd, &entry, sizeof(entry), 0);
		close(fd);
		if (f->result)
			return "pagemap of an exited process is not empty";
		if (detach(pid))
			return "an exited process cannot be detached";
	}
	f->attached[i] = false;
	return start_target(f, i) ? "no other target could be started" : NULL;
}

const char *fuzz_stats(struct fuzz *f)
{
	long long targets = 0, files = 0;
	size_t i;

	for (i = 0; i < FUZZ_TARGETS; i++)
		targets += f->attached[i];
	for (i = 0; i < FUZZ_FILES; i++)
		files += f->file_attached[i];
	snprintf(f->what, sizeof(f->what), "stats: %lld targets, %lld files are due",
		 targets, files);
	f->result = 0;
	return stats_value("targets") == targets && stats_value("files") == files ?
		       NULL : "stats: another number of targets or files";
}
