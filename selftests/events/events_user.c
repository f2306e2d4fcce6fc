// SPDX-License-Identifier: GPL-2.0
/*
 * The column ip: the instruction of the process that wrote, or the one behind its system
 * call. Nothing where others make the change.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	64
#define SHOWN	3	/* pages with other events */

static void write_pages(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		store_byte(region_page(r, i));
}

FIXTURE(events_user) {
	struct region region;	/* not written yet */
	struct traced self, other;
	struct child child;
	char name[16];
};

FIXTURE_SETUP(events_user)
{
	ASSERT_EQ(0, prctl(PR_GET_NAME, self->name));
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	region_drain_batches();
	ASSERT_EQ(0, exclusive_open(&self->self.ex, getpid()));
	ASSERT_EQ(0, events_start_mode(getpid(), "2"));
}

FIXTURE_TEARDOWN(events_user)
{
	prctl(PR_SET_NAME, self->name);
	EXPECT_EQ(0, traced_close(&self->other));
	EXPECT_EQ(0, traced_close(&self->self));
	child_kill(&self->child);
	region_free(&self->region);
}

/* Number of pages with exactly one such event, made from first to before last. */
static size_t count_from(const struct events *log, const struct region *r, enum cause why,
			 const void *first, const void *last)
{
	size_t i, e, found = 0, shown = 0;

	for (i = 0; i < r->pages; i++) {
		const struct event *const *of;
		size_t count = events_at(log, region_page(r, i), &of), like = 0, there = 0;

		for (e = 0; e < count; e++) {
			like += of[e]->cause == why;
			there += of[e]->cause == why && of[e]->ip >= (unsigned long)first &&
				 of[e]->ip < (unsigned long)last;
		}
		found += like == 1 && there == 1;
		if ((like != 1 || there != 1) && shown++ < SHOWN)
			ksft_print_msg("page %zu: %zu of %zu, ip %lx\n", i, there, like,
				       count ? of[count - 1]->ip : 0);
	}
	return found;
}

static size_t count_behind(const struct events *log, const struct region *r, enum cause why)
{
	return count_from(log, r, why, behind_syscall, behind_syscall + 1);
}

/* Number of pages with exactly one such event, without an ip. */
static size_t count_without(const struct events *log, const struct region *r, enum cause why)
{
	return count_from(log, r, why, NULL, (void *)1);
}

TEST_F(events_user, function_that_writes)
{
	write_pages(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_TRUE(self->self.log.with_ip);
	EXPECT_EQ(PAGES, count_from(&self->self.log, &self->region, CAUSE_NEW, store_byte,
				    store_byte_end));
}

TEST_F(events_user, function_whose_write_is_copied)
{
	region_fill(&self->region);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, traced_again(&self->self));
	ASSERT_EQ(0, events_start_mode(getpid(), "2"));
	write_pages(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_from(&self->self.log, &self->region, CAUSE_COW_COPY,
				    store_byte, store_byte_end));
}

TEST_F(events_user, system_call_that_writes)
{
	const struct region *r = &self->region;
	int zeroes = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	long bytes = PAGES * PAGE_BYTES;

	ASSERT_LE(0, zeroes);
	EXPECT_EQ(bytes, call_kernel(SYS_read, zeroes, (long)r->addr, bytes));
	close(zeroes);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_behind(&self->self.log, r, CAUSE_NEW));
}

/* The page is shared for the child, by the parent's system call. */
TEST_F(events_user, fork)
{
	struct region *r = &self->region;
	int status;
	long pid;

	region_fill(r);
	pid = call_kernel(SYS_fork, 0, 0, 0);
	if (!pid)
		_exit(0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_behind(&self->self.log, r, CAUSE_FORK_SHARE));
}

TEST_F(events_user, unmapped_by_a_system_call)
{
	struct region *r = &self->region;

	region_fill(r);
	EXPECT_EQ(0, call_kernel(SYS_madvise, (long)r->addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_EQ(PAGES, count_behind(&self->self.log, r, CAUSE_UNMAP));
}

/* A child that shares all pages, in whose log the test looks. */
static int start_target(struct traced *t, struct child *c)
{
	return child_start(c, child_traced_by_parent, NULL) ?: exclusive_open(&t->ex, c->pid) ?:
	       events_start_mode(c->pid, "2");
}

TEST_F(events_user, written_by_a_debugger)
{
	struct region page = region_part(&self->region, 3, 1);
	int status;

	region_fill(&self->region);
	ASSERT_EQ(0, start_target(&self->other, &self->child));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, kill(self->child.pid, SIGSTOP));
	ASSERT_EQ(self->child.pid, waitpid(self->child.pid, &status, 0));
	ASSERT_EQ(0, ptrace(PTRACE_POKEDATA, self->child.pid, page.addr, 0x123));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, self->child.pid, NULL, NULL));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(1, count_without(&self->other.log, &page, CAUSE_COW_COPY));
}

TEST_F(events_user, written_by_process_vm_writev)
{
	struct region part = region_part(&self->region, 5, 7);
	struct iovec to = { part.addr, 7 * PAGE_BYTES }, from = { part.addr, 7 * PAGE_BYTES };

	region_fill(&self->region);
	ASSERT_EQ(0, start_target(&self->other, &self->child));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(7 * PAGE_BYTES, process_vm_writev(self->child.pid, &from, 1, &to, 1, 0));
	ASSERT_EQ(0, traced_end(&self->other));
	EXPECT_EQ(7, count_without(&self->other.log, &part, CAUSE_COW_COPY));
}

/* The last " ip=" of a line is the column, whatever the process's name is. */
TEST_F(events_user, name_that_looks_like_the_column)
{
	const char *const name = "a b ip=12 ip=-";
	const struct event *const *e;

	ASSERT_EQ(0, prctl(PR_SET_NAME, name));
	write_pages(&self->region);
	ASSERT_EQ(0, traced_end(&self->self));
	ASSERT_EQ(1, events_at(&self->self.log, self->region.addr, &e));
	EXPECT_STREQ(name, e[0]->comm);
	EXPECT_EQ(PAGES, count_from(&self->self.log, &self->region, CAUSE_NEW, store_byte,
				    store_byte_end));
}

/* Another mode while recording goes on changes the lines, and loses nothing. */
TEST_F(events_user, mode_can_be_changed)
{
	struct region first = region_part(&self->region, 0, PAGES / 2);
	struct region second = region_part(&self->region, PAGES / 2, PAGES / 2);
	struct events *log = &self->self.log;
	char path[64], text[16] = "";

	snprintf(path, sizeof(path), XPAGEMAP_DIR "/%d/trace", getpid());
	ASSERT_LT(0, read_text(path, text, sizeof(text)));
	EXPECT_STREQ("2\n", text);
	ASSERT_EQ(0, events_start(getpid()));
	EXPECT_EQ(1, events_started(getpid()));
	write_pages(&first);
	ASSERT_EQ(0, events_read(log, getpid()));
	EXPECT_FALSE(log->with_ip);
	EXPECT_EQ(PAGES / 2, STEPS_TAKEN(log, &first, { .op = OP_SET, .cause = CAUSE_NEW }));
	ASSERT_EQ(0, events_start_mode(getpid(), "2"));
	write_pages(&second);
	ASSERT_EQ(0, traced_end(&self->self));
	EXPECT_TRUE(log->with_ip);
	EXPECT_EQ(PAGES / 2, count_without(log, &first, CAUSE_NEW));
	EXPECT_EQ(PAGES / 2, count_from(log, &second, CAUSE_NEW, store_byte, store_byte_end));
}

TEST_HARNESS_MAIN
