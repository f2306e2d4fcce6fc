// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap trace -f` on a program that forks and writes: its totals are those that the
 * page frames tell, which the test reads from /proc of parent and child.
 */
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define ROLE	"XPAGEMAP_TRACE_FORKS"	/* file descriptors: in,out */
#define PAGES	256
#define PINNED	3
/* Pages of the region that the child writes, and the parent, which then reuses some. */
#define CHILD_FIRST	10
#define CHILD_END	60
#define PARENT_FIRST	50
#define PARENT_END	120
#define TEXT_BYTES	1048576
#define FRAMES		8192

/* The program that is traced. It tells its PID, waits, forks, and tells the child's PID. */

static void must(bool ok)
{
	if (!ok)
		_exit(3);
}

static void tell(int out, pid_t pid)
{
	must(write(out, &pid, sizeof(pid)) == sizeof(pid));
}

static void hear(int in)
{
	char byte;

	must(read(in, &byte, 1) == 1);
}

static void write_pages(struct region *r, size_t first, size_t end)
{
	for (; first < end; first++)
		store_byte(region_page(r, first));
}

static void run_program(int in, int out)
{
	struct region r;
	struct pin pin;
	int fds[2];
	pid_t pid;

	must(!region_map_filled(&r, PAGES) && !pipe(fds));
	region_drain_batches();
	must(!pin_take(&pin, r.addr, PINNED, PIN_WRITE));
	/* Pages to which fork itself writes change before the test looks. */
	pid = fork();
	if (!pid)
		_exit(0);
	must(waitpid(pid, NULL, 0) == pid);
	tell(out, getpid());
	hear(in);
	pid = fork();
	if (!pid) {
		write_pages(&r, CHILD_FIRST, CHILD_END);
		must(write(fds[1], "", 1) == 1);
		for (;;)
			pause();
	}
	hear(fds[0]);
	write_pages(&r, PARENT_FIRST, PARENT_END);
	tell(out, pid);
	must(waitpid(pid, NULL, 0) == pid);
	_exit(0);
}

static __attribute__((constructor)) void choose_role(void)
{
	const char *role = getenv(ROLE);
	int in, out;

	if (role && sscanf(role, "%d,%d", &in, &out) == 2)
		run_program(in, out);
}

/* The anonymous pages of a process: addresses, ascending, and frames. */
struct frames {
	__u64 page[FRAMES], frame[FRAMES];
	size_t count;
};

static int read_mapping(struct frames *f, const struct kpage *kp, int pagemap, __u64 first,
			__u64 end)
{
	for (; first < end; first++) {
		__u64 entry, flags;

		if (pread(pagemap, &entry, 8, first * 8) != 8)
			return -EIO;
		flags = entry & PM_PRESENT ? kpage_flags(kp, entry & PM_FRAME) : 0;
		if (!kpage_has(flags, KPF_ANON))
			continue;
		if (f->count == FRAMES)
			return -E2BIG;
		f->page[f->count] = first;
		f->frame[f->count++] = entry & PM_FRAME;
	}
	return 0;
}

static int read_frames(struct frames *f, pid_t pid)
{
	unsigned long start, end;
	char path[64], line[512], permissions[5];
	struct kpage kp;
	int pagemap, err = kpage_open(&kp);
	FILE *maps;

	f->count = 0;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (pagemap < 0 || !maps)
		err = -errno;
	while (!err && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &start, &end, permissions) == 3 &&
		    permissions[3] == 'p' && !strstr(line, "[vsyscall]"))
			err = read_mapping(f, &kp, pagemap, start / PAGE_BYTES, end / PAGE_BYTES);
	if (maps)
		fclose(maps);
	close(pagemap);
	kpage_close(&kp);
	return err;
}

static __u64 frame_of(const struct frames *f, __u64 page)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (f->page[i] == page)
			return f->frame[i];
	return 0;
}

/* A line of the table of forks. */
struct totals {
	size_t shared, early, by_parent, by_child, never;
};

/* The fate of the pages in @before: shared or copied, by the frames of parent and child. */
static struct totals totals_of(const struct frames *before, const struct frames *parent,
			       const struct frames *child)
{
	struct totals t = {};
	size_t i;

	for (i = 0; i < before->count; i++) {
		bool by_parent = frame_of(parent, before->page[i]) != before->frame[i];
		bool by_child = frame_of(child, before->page[i]) != before->frame[i];

		t.shared++;
		t.by_parent += by_parent;
		t.by_child += by_child;
		t.never += !by_parent && !by_child;
	}
	return t;
}

FIXTURE(trace_forks) {
	struct frames before, parent, child;
	char text[TEXT_BYTES], path[512];
	int to[2], from[2], output;
	pid_t tracer;
};

FIXTURE_SETUP(trace_forks)
{
	char self_path[256];
	ssize_t len = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);

	ASSERT_LT(0, len);
	self_path[len] = '\0';
	/* Built beside the tests. */
	snprintf(self->path, sizeof(self->path), "%s/../tools/release/xpagemap",
		 dirname(self_path));
	ASSERT_EQ(0, access(self->path, X_OK)) TH_LOG("%s: make tools", self->path);
	ASSERT_EQ(0, pipe(self->to));
	ASSERT_EQ(0, pipe(self->from));
	self->output = memfd_create("output", 0);
	ASSERT_LE(0, self->output);
}

FIXTURE_TEARDOWN(trace_forks)
{
	if (self->tracer > 0) {
		kill(self->tracer, SIGKILL);
		waitpid(self->tracer, NULL, 0);
	}
	close(self->output);
}

/* Starts `xpagemap trace -f ARGS...` with its output in the memfd. */
static pid_t start_tracer(const char *path, int output, char *const args[])
{
	pid_t pid = fork();

	if (!pid) {
		dup2(output, STDOUT_FILENO);
		execv(path, args);
		_exit(127);
	}
	return pid;
}

/* The line of the table of forks with this child. */
static bool find_line(const char *text, pid_t child, struct totals *t)
{
	const char *line = strstr(text, "\nforks:");
	int parent, pid;

	while (line && (line = strchr(line, '\n'))) {
		line++;
		if (sscanf(line, "%d %d %zu %zu %zu %zu %zu", &parent, &pid, &t->shared, &t->early,
			   &t->by_parent, &t->by_child, &t->never) == 7 && pid == child)
			return true;
	}
	return false;
}

static bool hear_pid(int fd, pid_t *pid)
{
	return read(fd, pid, sizeof(*pid)) == sizeof(*pid);
}

/* From the program's first word on: measures, ends the program, and compares. */
static void expect_totals(struct __test_metadata *_metadata, struct _test_data_trace_forks *self,
			  pid_t pid, bool reap)
{
	struct totals told, found;
	pid_t child;
	int status;
	ssize_t len;

	ASSERT_EQ(0, read_frames(&self->before, pid));
	ASSERT_EQ(1, write(self->to[1], "", 1));
	ASSERT_TRUE(hear_pid(self->from[0], &child));
	ASSERT_EQ(0, read_frames(&self->parent, pid));
	ASSERT_EQ(0, read_frames(&self->child, child));
	found = totals_of(&self->before, &self->parent, &self->child);
	ASSERT_EQ(0, kill(child, SIGKILL));
	if (reap)
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(self->tracer, waitpid(self->tracer, &status, 0));
	self->tracer = 0;
	EXPECT_EQ(0, status);
	len = pread(self->output, self->text, TEXT_BYTES - 1, 0);
	ASSERT_LT(0, len);
	self->text[len] = '\0';
	ASSERT_TRUE(find_line(self->text, child, &told)) TH_LOG("%s", self->text);
	ksft_print_msg("%zu shared, %zu early, copied %zu by parent, %zu by child, %zu never\n",
		       told.shared, told.early, told.by_parent, told.by_child, told.never);
	/* Of the pinned pages, fork has made copies for the child. */
	EXPECT_EQ(PINNED, told.early);
	EXPECT_EQ(found.shared - PINNED, told.shared);
	EXPECT_EQ(found.by_parent, told.by_parent);
	EXPECT_EQ(found.by_child - PINNED, told.by_child);
	EXPECT_EQ(found.never, told.never);
	EXPECT_LE(PARENT_END - CHILD_END, told.by_parent);
	EXPECT_LE(CHILD_END - CHILD_FIRST, told.by_child);
	EXPECT_LE(PAGES - PINNED - (PARENT_END - CHILD_FIRST), told.never);
}

static void name_pipes(int in, int out)
{
	char text[32];

	snprintf(text, sizeof(text), "%d,%d", in, out);
	setenv(ROLE, text, 1);
}

TEST_F(trace_forks, command)
{
	char program[256];
	char *const words[] = { "xpagemap", "trace", "-f", "--", program, NULL };
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	pid_t pid;

	ASSERT_LT(0, len);
	program[len] = '\0';
	name_pipes(self->to[0], self->from[1]);
	self->tracer = start_tracer(self->path, self->output, words);
	unsetenv(ROLE);
	ASSERT_LT(0, self->tracer);
	ASSERT_TRUE(hear_pid(self->from[0], &pid));
	expect_totals(_metadata, self, pid, false);
}

/* Returns whether the process has a tracer. */
static bool is_traced(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return read_value(path, "TracerPid") > 0;
}

TEST_F(trace_forks, running_process)
{
	char number[16];
	char *const words[] = { "xpagemap", "trace", "-f", number, NULL };
	pid_t pid = fork();
	int tries;

	if (!pid)
		run_program(self->to[0], self->from[1]);
	ASSERT_LT(0, pid);
	ASSERT_TRUE(hear_pid(self->from[0], &pid));
	snprintf(number, sizeof(number), "%d", pid);
	self->tracer = start_tracer(self->path, self->output, words);
	ASSERT_LT(0, self->tracer);
	for (tries = 0; tries < 6000 && !is_traced(pid); tries++)
		usleep(10000);
	ASSERT_TRUE(is_traced(pid));
	expect_totals(_metadata, self, pid, true);
}

TEST_HARNESS_MAIN
