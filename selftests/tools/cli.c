// SPDX-License-Identifier: GPL-2.0
/*
 * The command line on memory whose state is known: its JSON against cachestat(2), mincore(2),
 * /proc/PID/pagemap and the module's files as the test reads them. Tests with a `stock` comment
 * run on a kernel without the patches too, where the same answers come from /proc.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		600
#define SWAPPED		400	/* the first of them */
#define UNMAPPED	50	/* the last of them: in the page cache */
#define RESIDENT	(PAGES - SWAPPED - UNMAPPED)
#define PRIVATE		32

FIXTURE(cli) {
	struct region shared, private;
	struct cli out;
	struct control_state before;
};

FIXTURE_SETUP(cli)
{
	size_t i;

	self->before = control_state_now();
	ASSERT_EQ(0, region_map_memfd(&self->shared, PAGES));
	for (i = 0; i < SWAPPED; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, region_pageout(&self->shared));
	for (; i < PAGES; i++)
		region_fill_page(&self->shared, i);
	ASSERT_EQ(0, madvise(region_page(&self->shared, PAGES - UNMAPPED), UNMAPPED * PAGE_BYTES,
			     MADV_DONTNEED));
	ASSERT_EQ(SWAPPED, region_count(&self->shared, PAGE_SWAPPED));
	ASSERT_EQ(PAGES - SWAPPED, region_count(&self->shared, PAGE_RESIDENT));
	ASSERT_EQ(0, region_map_filled(&self->private, PRIVATE));
}

FIXTURE_TEARDOWN(cli)
{
	cli_free(&self->out);
	region_free(&self->shared);
	/* No command leaves anything attached. */
	if (!source_is_proc())
		EXPECT_TRUE(control_unchanged(self->before));
}

#define RUN(want, ...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, __VA_ARGS__)); \
	EXPECT_EQ(want, self->out.status) TH_LOG("%s", self->out.text); \
})

/* stock: passes: smaps tells the number of swapped pages */
TEST_F(cli, summary_counts_a_mapping)
{
	RUN(0, "summary --json %d", getpid());
	EXPECT_TRUE(cli_says(&self->out, "\"schema\":\"xpagemap.summary/1\""));
	EXPECT_EQ(PAGES, cli_mapping(&self->out, self->shared.addr, "pages"));
	EXPECT_EQ(RESIDENT, cli_mapping(&self->out, self->shared.addr, "resident"));
	EXPECT_EQ(SWAPPED, cli_mapping(&self->out, self->shared.addr, "swap_shared"));
	EXPECT_EQ(0, cli_mapping(&self->out, self->shared.addr, "swap_private"));
	EXPECT_EQ(PRIVATE, cli_mapping(&self->out, self->private.addr, "resident"));
	ASSERT_EQ(PRIVATE, region_pageout(&self->private) ?: PRIVATE);
	RUN(0, "summary --json %d", getpid());
	EXPECT_EQ(PRIVATE, cli_mapping(&self->out, self->private.addr, "swap_private"));
	EXPECT_EQ(0, cli_mapping(&self->out, self->private.addr, "swap_shared"));
}

/* stock: passes: unknown, and said to be */
TEST_F(cli, summary_knows_or_says_why_not)
{
	long long cached, exclusive;

	RUN(0, "summary --json %d", getpid());
	cached = cli_mapping(&self->out, self->shared.addr, "cached");
	exclusive = cli_mapping(&self->out, self->private.addr, "exclusive");
	if (source_is_proc()) {
		EXPECT_EQ(-ENODATA, cached);
		EXPECT_EQ(-ENODATA, exclusive);
		EXPECT_TRUE(cli_says(&self->out, "\"unknown\":[{\"what\":"));
		RUN(0, "summary %d", getpid());
		EXPECT_TRUE(cli_says(&self->out, "not known: cached:"));
		EXPECT_TRUE(cli_says(&self->out, "module is not loaded"));
		return;
	}
	EXPECT_EQ(UNMAPPED, cached);
	EXPECT_EQ(PRIVATE, exclusive);
	EXPECT_TRUE(cli_says(&self->out, "\"unknown\":[]"));
}

TEST_F(cli, summary_tells_pages_shared_by_fork)
{
	struct exclusive ex;
	struct child child;
	long exclusive;

	ASSERT_EQ(0, child_start_idle(&child));
	/* One of them is copied. */
	region_fill_page(&self->private, 3);
	ASSERT_EQ(0, exclusive_open(&ex, getpid()));
	exclusive = exclusive_count(&ex, self->private.addr, PRIVATE, EX_EXCLUSIVE, EX_EXCLUSIVE);
	EXPECT_EQ(0, exclusive_close(&ex));
	EXPECT_EQ(1, exclusive);
	RUN(0, "summary --json %d", getpid());
	EXPECT_EQ(exclusive, cli_mapping(&self->out, self->private.addr, "exclusive"));
	EXPECT_EQ(PRIVATE - exclusive, cli_mapping(&self->out, self->private.addr, "shared"));
	EXPECT_EQ(0, cli_mapping(&self->out, self->private.addr, "violations"));
	child_kill(&child);
}

/* Runs of SHMEM_SCAN and of the filemap, and the number by cachestat(2), are the same. */
TEST_F(cli, file_is_the_same_from_each_source)
{
	static const char * const sources[] = { "shmem-scan", "module", "cachestat" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		RUN(0, "file --json --source %s %d:%d", sources[i], getpid(), self->shared.fd);
		EXPECT_EQ(PAGES - SWAPPED, cli_number(&self->out, "\"totals\"", "cached"));
		EXPECT_EQ(SWAPPED, cli_number(&self->out, "\"totals\"", "swapped"));
	}
	/* None has read a page back. */
	EXPECT_EQ(SWAPPED, region_count(&self->shared, PAGE_SWAPPED));
}

/* stock: passes: by cachestat() and lseek(), and said to be */
TEST_F(cli, file_by_descriptor)
{
	RUN(0, "file --json %d:%d", getpid(), self->shared.fd);
	EXPECT_TRUE(cli_says(&self->out, "\"schema\":\"xpagemap.file/1\""));
	EXPECT_EQ(SWAPPED, cli_number(&self->out, "\"totals\"", "swapped"));
	EXPECT_EQ(PAGES - SWAPPED, cli_number(&self->out, "\"totals\"", "cached"));
	RUN(0, "file %d:%d", getpid(), self->shared.fd);
	EXPECT_EQ(!source_is_proc(), cli_says(&self->out, "from SHMEM_SCAN"));
	EXPECT_EQ(source_is_proc(), cli_says(&self->out, "not known: swap slots"));
}

TEST_F(cli, file_slots_are_those_of_pagemap)
{
	__u64 entries[SWAPPED];
	struct source src;
	size_t i, runs = 0;
	char slot[80];

	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(SWAPPED, pagemap_read(src.fd, self->shared.addr, entries, SWAPPED));
	EXPECT_EQ(0, source_close(&src));
	RUN(0, "file --json %d:%d", getpid(), self->shared.fd);
	for (i = 0; i < SWAPPED; i++) {
		ASSERT_TRUE(pm_is_swap(entries[i]));
		if (i && pm_swap_offset(entries[i]) == pm_swap_offset(entries[i - 1]) + 1)
			continue;
		runs++;
		snprintf(slot, sizeof(slot), "\"slot\":{\"type\":%u,\"offset\":%llu}",
			 pm_swap_type(entries[i]), pm_swap_offset(entries[i]));
		EXPECT_TRUE(cli_says(&self->out, "%s", slot)) TH_LOG("no %s", slot);
	}
	EXPECT_LT(0, runs);
}

TEST_F(cli, show_differs_where_proc_is_blank)
{
	unsigned long start = (unsigned long)self->shared.addr;

	RUN(0, "show --json --differs %d %lx-%lx", getpid(), start, start + PAGES * PAGE_BYTES);
	EXPECT_TRUE(cli_says(&self->out, "\"schema\":\"xpagemap.show/1\""));
	EXPECT_TRUE(cli_says(&self->out, "\"address\":\"%lx\"", start));
	EXPECT_FALSE(cli_says(&self->out, "\"differs\":false"));
	RUN(0, "show %d %lx-%lx", getpid(), start, start + PAGES * PAGE_BYTES);
	EXPECT_TRUE(cli_says(&self->out, "memory %d, swap %d", RESIDENT, SWAPPED));
}

/* stock: passes: there is nothing to compare with, and that is said */
TEST_F(cli, show_says_what_it_lacks)
{
	unsigned long start = (unsigned long)self->shared.addr;

	RUN(0, "show %d %lx-%lx", getpid(), start, start + PAGES * PAGE_BYTES);
	EXPECT_EQ(source_is_proc(), cli_says(&self->out, "not known: swap slots of shared memory"));
	RUN(source_is_proc(), "show --differs %d %lx-%lx", getpid(), start,
	    start + PAGES * PAGE_BYTES);
}

/* stock: passes: fails there, with the reason */
TEST_F(cli, check_finds_nothing_or_says_why_not)
{
	RUN(source_is_proc(), "check %d", getpid());
	if (source_is_proc()) {
		EXPECT_TRUE(cli_says(&self->out, "cannot check:"));
		return;
	}
	EXPECT_TRUE(cli_says(&self->out, "checked 1 processes: 0 violations"));
}

TEST_F(cli, explain_tells_slot_and_frame)
{
	unsigned long at = (unsigned long)self->shared.addr;
	struct source src;
	__u64 entries[2];

	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(1, pagemap_read(src.fd, self->shared.addr, entries, 1));
	ASSERT_EQ(1, pagemap_read(src.proc, self->private.addr, entries + 1, 1));
	EXPECT_EQ(0, source_close(&src));
	RUN(0, "explain %d %lx", getpid(), at + 17);
	EXPECT_TRUE(cli_says(&self->out, "in slot %llu of %s", pm_swap_offset(entries[0]),
			     getenv("XPAGEMAP_SWAPDEV")));
	RUN(0, "explain --json %d %lx", getpid(), (unsigned long)self->private.addr);
	EXPECT_EQ(entries[1] & PM_FRAME, cli_number(&self->out, NULL, "frame"));
	EXPECT_TRUE(cli_says(&self->out, "\"anonymous\":true,\"exclusive\":true"));
}

/* Readers of the files below get nothing there, as from a process that has exited. */
TEST_F(cli, explain_of_an_address_above_the_address_space)
{
	RUN(0, "explain %d 800000000000", getpid());
	EXPECT_TRUE(cli_says(&self->out, "has nothing mapped at 800000000000"));
	RUN(0, "explain %d ffffffffff600000", getpid());
	EXPECT_TRUE(cli_says(&self->out, "ffffffffff600000")) TH_LOG("%s", self->out.text);
}

/* A prediction, and then the write. */
TEST_F(cli, explain_tells_who_shares_it_and_what_a_write_does)
{
	unsigned long at = (unsigned long)self->private.addr;
	struct source src;
	struct child child;
	__u64 before, after;

	ASSERT_EQ(0, child_start_idle(&child));
	RUN(0, "explain %d %lx", getpid(), at);
	EXPECT_TRUE(cli_says(&self->out, "It is not exclusive"));
	EXPECT_TRUE(cli_says(&self->out, "Mappings: 2: "));
	EXPECT_TRUE(cli_says(&self->out, "process %d at %lx", getpid(), at));
	EXPECT_TRUE(cli_says(&self->out, "process %d at %lx", child.pid, at));
	EXPECT_TRUE(cli_says(&self->out, "The next write goes to a copy of the page"))
		TH_LOG("%s", self->out.text);
	EXPECT_TRUE(cli_says(&self->out, "The next fork shares it with the child"));
	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(1, pagemap_read(src.proc, self->private.addr, &before, 1));
	region_fill_page(&self->private, 0);
	ASSERT_EQ(1, pagemap_read(src.proc, self->private.addr, &after, 1));
	EXPECT_NE(before & PM_FRAME, after & PM_FRAME);
	RUN(0, "explain --json %d %lx", getpid(), at);
	EXPECT_TRUE(cli_says(&self->out, "\"next_write\":{\"action\":\"in-place\""));
	EXPECT_TRUE(cli_says(&self->out, "\"mapped_by\":[{\"pid\":%d,", getpid()));
	region_fill_page(&self->private, 0);
	ASSERT_EQ(1, pagemap_read(src.proc, self->private.addr, &before, 1));
	EXPECT_EQ(before & PM_FRAME, after & PM_FRAME);
	EXPECT_EQ(0, source_close(&src));
	child_kill(&child);
}

TEST_F(cli, diff_of_two_moments)
{
	unsigned long start = (unsigned long)self->private.addr;
	char before[64], after[64], range[64];
	size_t i;

	snprintf(range, sizeof(range), "%lx-%lx", start, start + PRIVATE * PAGE_BYTES);
	snprintf(before, sizeof(before), "/tmp/cli-%d.before", getpid());
	snprintf(after, sizeof(after), "/tmp/cli-%d.after", getpid());
	RUN(0, "show --json --pages --exclusive %d %s > %s", getpid(), range, before);
	ASSERT_EQ(0, region_pageout(&self->private));
	for (i = 0; i < 7; i++)
		region_fill_page(&self->private, i);
	RUN(0, "show --json --pages --exclusive %d %s > %s", getpid(), range, after);
	RUN(0, "diff --json %s %s", before, after);
	EXPECT_TRUE(cli_says(&self->out, "\"%lx\",\"pages\":%d,\"change\":\"swapped-out\"",
			     (unsigned long)region_page(&self->private, 7), PRIVATE - 7));
	EXPECT_EQ(PRIVATE - 7, cli_number(&self->out, "\"totals\"", "swapped-out"));
	unlink(before);
	unlink(after);
}

/* stock: passes: samples that are not known are left out */
TEST_F(cli, metrics_are_openmetrics)
{
	char path[64];

	/* Samples that are not known are named on standard error. */
	snprintf(path, sizeof(path), "/tmp/cli-%d.prom", getpid());
	RUN(0, "metrics -o %s %d 2>/dev/null && cat %s", path, getpid(), path);
	unlink(path);
	EXPECT_EQ(self->out.text,
		  strstr(self->out.text, "# TYPE xpagemap_process_memory_bytes gauge"));
	EXPECT_STREQ("# EOF\n", self->out.text + self->out.len - strlen("# EOF\n"));
	EXPECT_TRUE(cli_says(&self->out, "xpagemap_module_up %d", !source_is_proc()));
	EXPECT_TRUE(cli_says(&self->out, "state=\"swap_shared\"} %lu\n", SWAPPED * PAGE_BYTES));
	EXPECT_EQ(!source_is_proc(), cli_says(&self->out, "state=\"exclusive\"}"));
}

TEST_F(cli, targets_by_name_and_cgroup)
{
	struct child child;
	struct cgroup cg;
	char name[64];

	ASSERT_EQ(0, cgroup_create(&cg));
	ASSERT_EQ(0, cgroup_enter(&cg));
	ASSERT_EQ(0, child_start_idle(&child));
	ASSERT_EQ(0, cgroup_leave());
	RUN(0, "check --json --cgroup %s", cg.path);
	EXPECT_EQ(1, cli_number(&self->out, NULL, "processes"));
	RUN(0, "summary --total --json --cgroup %s", cg.path);
	EXPECT_EQ(child.pid, cli_number(&self->out, NULL, "pid"));
	snprintf(name, sizeof(name), "\"pid\":%d", getpid());
	EXPECT_FALSE(cli_says(&self->out, "%s", name));
	/* Both have the name. */
	RUN(0, "summary --total --json cli");
	EXPECT_TRUE(cli_says(&self->out, "%s", name));
	EXPECT_TRUE(cli_says(&self->out, "\"pid\":%d", child.pid));
	RUN(1, "summary no_such_name");
	EXPECT_TRUE(cli_says(&self->out, "there is no process named no_such_name"));
	child_kill(&child);
	EXPECT_EQ(0, cgroup_destroy(&cg));
}

/* A watch is ended by a signal, and detaches. */
TEST_F(cli, watch_ends_with_sigterm)
{
	static char text[1 << 20];
	char path[64];
	int status, tries;
	pid_t pid;

	snprintf(path, sizeof(path), "/tmp/cli-%d.watch", getpid());
	pid = cli_start(path, "check --json --watch 0.1 %d", getpid());
	ASSERT_LT(0, pid);
	/* Two rounds. */
	for (tries = 0; tries < 6000; tries++) {
		read_text(path, text, sizeof(text));
		if (strchr(text, '\n') != strrchr(text, '\n'))
			break;
		usleep(10000);
	}
	EXPECT_NE(strchr(text, '\n'), strrchr(text, '\n'));
	EXPECT_EQ(0, kill(pid, SIGTERM));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status));
	EXPECT_FALSE(is_attached(getpid()));
	unlink(path);
}

/* A reader that goes away early is no error to tell. */
TEST_F(cli, closed_pipe_is_quiet)
{
	unsigned long start = (unsigned long)self->shared.addr;
	char errors[64];

	snprintf(errors, sizeof(errors), "/tmp/cli-%d.errors", getpid());
	/* More than a pipe takes. */
	RUN(0, "show --pages --raw --exclusive %d %lx-%lx 2>%s | head -n 1 >/dev/null; cat %s",
	    getpid(), start, start + PAGES * PAGE_BYTES, errors, errors);
	EXPECT_EQ(0, self->out.len) TH_LOG("%s", self->out.text);
	RUN(0, "show --pages --json %d %lx-%lx 2>%s | head -c 1 >/dev/null; cat %s", getpid(),
	    start, start + PAGES * PAGE_BYTES, errors, errors);
	EXPECT_EQ(0, self->out.len) TH_LOG("%s", self->out.text);
	unlink(errors);
}

static int summary_of_itself(struct child *c, void *arg)
{
	struct cli out;
	long long swap, exclusive;

	(void)c;
	(void)arg;
	if (setgid(65534) || setuid(65534) || prctl(PR_SET_DUMPABLE, 1))
		return 100;
	if (cli_run(&out, "summary --json %d", getpid()) || out.status)
		return 101;
	swap = cli_number(&out, "\"total\"", "swap_shared");
	exclusive = cli_number(&out, "\"total\"", "exclusive");
	if (swap < 0 || exclusive != -ENODATA)
		return 102;
	return cli_says(&out, "run this as root") || source_is_proc() ? 0 : 103;
}

/* stock: passes: without privilege too */
TEST_F(cli, user_sees_own_memory)
{
	struct child child;
	int status;

	ASSERT_EQ(0, child_start(&child, summary_of_itself, NULL));
	status = child_wait(&child);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
