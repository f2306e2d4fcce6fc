// SPDX-License-Identifier: GPL-2.0
/*
 * A debugger's writes to read-only mappings go to exclusive copies; the mappings stay
 * read-only.
 */
#include <fcntl.h>
#include <sys/ptrace.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	8
#define POKED	3
#define EVENTS	"/sys/kernel/tracing/uprobe_events"
#define ENABLE	"/sys/kernel/tracing/events/xpagemap_test/probe/enable"

FIXTURE(exclusive_debugger) {
	struct region file;	/* of executable pages */
	struct region view;
	struct exclusive ex, other;
	struct child child;
	struct kpage kp;
	__u64 frames[PAGES];
};

/* A private executable mapping, like a program's text. */
static int map_text(struct region *r, const struct region *file)
{
	int err = region_map_view(r, file, 0, PAGES, MAP_PRIVATE);

	if (err)
		return err;
	if (mprotect(r->addr, PAGES * PAGE_BYTES, PROT_READ | PROT_EXEC) ||
	    madvise(r->addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ))
		return -errno;
	return 0;
}

/* A uprobe needs an instruction at its address. */
static void fill_with_nops(struct region *r)
{
	memset(r->addr, 0x90, r->pages * PAGE_BYTES);
}

FIXTURE_SETUP(exclusive_debugger)
{
	int fd = open("/run/xpagemap-text", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, region_map(&self->file, NULL, PAGES, MAP_SHARED, fd, 0));
	fill_with_nops(&self->file);
	ASSERT_EQ(0, map_text(&self->view, &self->file));
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	frames_note(&self->ex, &self->view, self->frames);
}

FIXTURE_TEARDOWN(exclusive_debugger)
{
	EXPECT_EQ(0, violations_of(&self->ex));
	EXPECT_EQ(0, exclusive_close_both(&self->ex, &self->other, &self->child));
	region_unmap(&self->view);
	region_free(&self->file);
	unlink("/run/xpagemap-text");
	kpage_close(&self->kp);
}

/* Writes into a stopped child. Returns 0 or a negative errno. */
static int poke(struct child *c, void *addr, long value)
{
	int status, err = 0;

	if (kill(c->pid, SIGSTOP) || waitpid(c->pid, &status, 0) != c->pid)
		return -errno;
	if (ptrace(PTRACE_POKEDATA, c->pid, addr, value))
		err = -errno;
	return ptrace(PTRACE_DETACH, c->pid, NULL, NULL) ? -errno : err;
}

TEST_F(exclusive_debugger, poked_text_page_becomes_an_exclusive_copy)
{
	struct region *r = &self->view;
	__u64 entry;

	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, child_traced_by_parent, NULL));
	ASSERT_TRUE(child_hear(&self->child));
	ASSERT_EQ(0, poke(&self->child, region_page(r, POKED), 0x123));
	entry = exclusive_at(&self->other, region_page(r, POKED));
	EXPECT_EQ(EX_PRESENT | EX_EXCLUSIVE, entry & EX_STATE);
	EXPECT_EQ(1, ex_map_count(entry));
	EXPECT_NE(self->frames[POKED], frame_at(&self->other, region_page(r, POKED)));
	/* The file's page, and the parent's mapping of it, stay. */
	EXPECT_EQ(EX_PRESENT | EX_FILE,
		  exclusive_at(&self->ex, region_page(r, POKED)) & EX_STATE);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0, violations_of(&self->other));
}

/* A debugger's write copies a page shared by fork, as the child's own write would. */
TEST_F(exclusive_debugger, poked_shared_page_is_copied)
{
	struct region r;
	__u64 frames[PAGES];

	ASSERT_EQ(0, region_map_private_anon(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, exclusive_child(&self->other, &self->child, child_traced_by_parent, NULL));
	ASSERT_TRUE(child_hear(&self->child));
	frames_note(&self->ex, &r, frames);
	ASSERT_EQ(0, poke(&self->child, region_page(&r, POKED), 0x123));
	EXPECT_EQ(EX_OWN, exclusive_at(&self->other, region_page(&r, POKED)) & EX_STATE);
	EXPECT_EQ(PAGES - 1, frames_kept(&self->other, &r, frames));
	EXPECT_EQ(EX_PRESENT, exclusive_at(&self->ex, region_page(&r, POKED)) & EX_STATE);
	EXPECT_EQ(PAGES, frames_kept(&self->ex, &r, frames));
	EXPECT_EQ(0, region_damaged(&r));
	EXPECT_EQ(0, violations_of(&self->other));
	region_free(&r);
}

TEST_F(exclusive_debugger, uprobe_is_put_into_an_exclusive_copy)
{
	struct region *r = &self->view;
	__u64 entry;

	ASSERT_EQ(0, write_text(EVENTS, "p:xpagemap_test/probe /run/xpagemap-text:0x%lx",
				POKED * PAGE_BYTES));
	EXPECT_EQ(0, write_text(ENABLE, "1"));
	entry = exclusive_at(&self->ex, region_page(r, POKED));
	EXPECT_EQ(EX_PRESENT | EX_EXCLUSIVE, entry & EX_STATE);
	EXPECT_EQ(1, ex_map_count(entry));
	EXPECT_EQ(NULL, crosscheck_page(&self->ex, &self->kp, region_page(r, POKED)));
	EXPECT_EQ(PAGES - 1, frames_kept(&self->ex, r, self->frames));
	EXPECT_EQ(0xcc, *region_page(r, POKED));
	EXPECT_EQ(0, violations_of(&self->ex));

	EXPECT_EQ(0, write_text(ENABLE, "0"));
	EXPECT_EQ(0x90, *region_page(r, POKED));
	EXPECT_EQ(0, write_text(EVENTS, "-:xpagemap_test/probe"));
}

TEST_HARNESS_MAIN
