// SPDX-License-Identifier: GPL-2.0
/*
 * Predictions of PID/page for single states: the reason is the one that the state was made
 * for, and the write does what was predicted.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define PAGES 16

FIXTURE(page_states) {
	struct region r;
	struct exclusive ex;
	struct child child;
	struct predictor p;
};

FIXTURE_SETUP(page_states)
{
	ASSERT_EQ(0, region_map_apart(&self->r, PAGES));
	region_fill(&self->r);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->p = (struct predictor){ .ex = &self->ex, .fd = page_open(getpid()) };
	ASSERT_LE(0, self->p.fd);
}

FIXTURE_TEARDOWN(page_states)
{
	close(self->p.fd);
	if (self->child.pid > 0)
		child_kill(&self->child);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	region_free(&self->r);
}

/* All pages of a region have this effect and reason, and each write proves it. */
static void expect_writes(struct __test_metadata *_metadata, struct predictor *p,
			  const struct region *r, const char *effect, const char *reason)
{
	struct page_view v;
	size_t i;

	for (i = 0; i < r->pages; i++) {
		ASSERT_EQ(0, page_at(p->fd, region_page(r, i), &v));
		EXPECT_STREQ(effect, v.write);
		EXPECT_STREQ(reason, v.write_reason);
		ASSERT_EQ(0, predict_write(p, reason, region_page(r, i)));
	}
	EXPECT_EQ(p->made, p->right);
}

/* A child that is forked now has, of all pages, what is predicted. */
static void expect_forks(struct __test_metadata *_metadata, struct predictor *p,
			 const struct region *r, const char *effect, const char *reason)
{
	struct forecast f[PAGES];
	struct child child;
	size_t i, pages = r->pages < PAGES ? r->pages : PAGES;
	int proc;

	for (i = 0; i < pages; i++) {
		ASSERT_EQ(0, predict_fork(p, reason, region_page(r, i), &f[i]));
		EXPECT_STREQ(effect, f[i].view.fork);
		EXPECT_STREQ(reason, f[i].view.fork_reason);
	}
	ASSERT_EQ(0, child_start_idle(&child));
	proc = proc_pagemap_open(child.pid);
	ASSERT_LE(0, proc);
	for (i = 0; i < pages; i++)
		EXPECT_EQ(0, check_fork(p, &f[i], proc));
	EXPECT_EQ(p->made, p->right);
	close(proc);
	child_kill(&child);
}

TEST_F(page_states, shared_with_a_child)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	expect_writes(_metadata, &self->p, &self->r, "copy", "shared");
}

TEST_F(page_states, last_owner)
{
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	expect_writes(_metadata, &self->p, &self->r, "in-place", "last-reference");
}

/* GUP refuses a page that is not exclusive, so that the reference is taken before the fork. */
TEST_F(page_states, pinned_page_is_copied_by_fork)
{
	struct pin pin = {};

	ASSERT_EQ(0, pin_take(&pin, self->r.addr, PAGES, PIN_WRITE));
	expect_forks(_metadata, &self->p, &self->r, "copy", "pinned");
	ASSERT_EQ(0, pin_release(&pin));
	expect_forks(_metadata, &self->p, &self->r, "share", "anon-page");
}

TEST_F(page_states, not_inherited)
{
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_DONTFORK));
	expect_forks(_metadata, &self->p, &self->r, "skip", "dontfork");
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_DOFORK));
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_WIPEONFORK));
	expect_forks(_metadata, &self->p, &self->r, "skip", "wipeonfork");
}

TEST_F(page_states, read_only)
{
	ASSERT_EQ(0, mprotect(self->r.addr, PAGES * PAGE_BYTES, PROT_READ));
	expect_writes(_metadata, &self->p, &self->r, "denied", "read-only");
	ASSERT_EQ(0, mprotect(self->r.addr, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE));
	expect_writes(_metadata, &self->p, &self->r, "in-place", "writable");
}

TEST_F(page_states, guard_region)
{
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_GUARD_INSTALL));
	expect_writes(_metadata, &self->p, &self->r, "denied", "guard");
}

TEST_F(page_states, unpopulated)
{
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	expect_forks(_metadata, &self->p, &self->r, "skip", "empty");
	expect_writes(_metadata, &self->p, &self->r, "fault", "new-page");
}

TEST_F(page_states, zero_pages)
{
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_POPULATE_READ));
	expect_forks(_metadata, &self->p, &self->r, "share", "zero-page");
	expect_writes(_metadata, &self->p, &self->r, "copy", "zero-page");
}

TEST_F(page_states, locked_in_memory)
{
	ASSERT_EQ(0, mlock(self->r.addr, PAGES * PAGE_BYTES));
	expect_writes(_metadata, &self->p, &self->r, "in-place", "writable");
	ASSERT_EQ(0, child_start_idle(&self->child));
	expect_writes(_metadata, &self->p, &self->r, "copy", "shared");
}

TEST_F(page_states, soft_dirty_tracked)
{
	ASSERT_EQ(0, write_text("/proc/self/clear_refs", "4"));
	expect_writes(_metadata, &self->p, &self->r, "in-place", "exclusive");
}

TEST_F(page_states, swapped_exclusive)
{
	ASSERT_EQ(0, region_pageout(&self->r));
	expect_forks(_metadata, &self->p, &self->r, "share", "swap-entry");
	region_fill(&self->r);
	ASSERT_EQ(0, region_pageout(&self->r));
	expect_writes(_metadata, &self->p, &self->r, "fault", "swap-in-exclusive");
}

/* The frame in the swap cache is kept by the last owner, and copied by another. */
TEST_F(page_states, swapped_shared)
{
	struct page_view v;

	ASSERT_EQ(0, region_pageout(&self->r));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, page_at(self->p.fd, self->r.addr, &v));
	EXPECT_STREQ("swap-in-copy", v.write_reason);
	ASSERT_EQ(0, predict_write(&self->p, "swap", self->r.addr));
	child_kill(&self->child);
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&self->r, 1), &v));
	EXPECT_STREQ("swap-in-last", v.write_reason);
	ASSERT_EQ(0, predict_write(&self->p, "swap", region_page(&self->r, 1)));
	EXPECT_EQ(self->p.made, self->p.right);
}

/* Read back while the child has the slot: the folio stays in the swap cache. */
TEST_F(page_states, present_with_swap_references)
{
	struct page_view v;
	size_t i;

	ASSERT_EQ(0, region_pageout(&self->r));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, region_damaged(&self->r));
	ASSERT_EQ(0, page_at(self->p.fd, self->r.addr, &v));
	ASSERT_TRUE(v.slot.found);
	EXPECT_STREQ("cache", v.slot.place);
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(0, predict_write(&self->p, "swap references",
					   region_page(&self->r, i)));
	EXPECT_STREQ("copy", v.write);
	EXPECT_STREQ("swap-references", v.write_reason);
	EXPECT_EQ(self->p.made, self->p.right);
}

TEST_F(page_states, private_file_page)
{
	struct region file, view;

	ASSERT_EQ(0, region_map_memfd(&file, PAGES));
	region_fill(&file);
	ASSERT_EQ(0, region_map_view(&view, &file, 0, PAGES, MAP_PRIVATE));
	expect_forks(_metadata, &self->p, &view, "skip", "no-anon-vma");
	ASSERT_EQ(0, madvise(view.addr, 8 * PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(0, predict_write(&self->p, "absent", region_page(&view, 12)));
	view.pages = 8;
	expect_forks(_metadata, &self->p, &view, "share", "file-page");
	expect_writes(_metadata, &self->p, &view, "copy", "file-page");
	view.pages = PAGES;
	region_unmap(&view);
	region_free(&file);
}

TEST_F(page_states, shared_mappings)
{
	struct region r;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	expect_forks(_metadata, &self->p, &r, "skip", "no-anon-vma");
	expect_writes(_metadata, &self->p, &r, "in-place", "writable");
	ASSERT_EQ(0, region_pageout(&r));
	expect_writes(_metadata, &self->p, &r, "fault", "shared-page");
	ASSERT_EQ(0, ftruncate(r.fd, PAGES / 2 * PAGE_BYTES));
	r.pages = PAGES / 2;
	r.addr += r.pages * PAGE_BYTES;
	expect_writes(_metadata, &self->p, &r, "denied", "beyond-end");
	r.addr -= r.pages * PAGE_BYTES;
	r.pages = PAGES;
	region_free(&r);
}

static int protect(const struct region *r, __u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = {
		.range = { (unsigned long)r->addr, r->pages * PAGE_BYTES },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = reg.range,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		return -errno;
	return fd;
}

TEST_F(page_states, protected_by_userfaultfd)
{
	struct page_view v;
	int fd = protect(&self->r, UFFD_FEATURE_PAGEFAULT_FLAG_WP);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, page_at(self->p.fd, self->r.addr, &v));
	EXPECT_STREQ("fault", v.write);
	EXPECT_STREQ("userfaultfd-wp", v.write_reason);
	expect_forks(_metadata, &self->p, &self->r, "share", "anon-page");
	close(fd);
}

TEST_F(page_states, protected_by_userfaultfd_asynchronously)
{
	int fd = protect(&self->r, UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);

	ASSERT_LE(0, fd);
	expect_writes(_metadata, &self->p, &self->r, "in-place", "exclusive");
	close(fd);
}

/* Missing mode: a write waits for the user, or here is refused. */
TEST_F(page_states, missing_by_userfaultfd)
{
	struct page_view v;
	int fd;

	ASSERT_EQ(0, madvise(self->r.addr, PAGES * PAGE_BYTES, MADV_DONTNEED));
	fd = uffd_watch(&self->r);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, page_at(self->p.fd, self->r.addr, &v));
	EXPECT_STREQ("fault", v.write);
	EXPECT_STREQ("userfaultfd-missing", v.write_reason);
	close(fd);
}

/* A page of hugetlb is kept by its last owner, whatever references it has. */
TEST_F(page_states, hugetlb)
{
	struct setting pool = {};
	struct page_view v;
	struct region r;

	ASSERT_EQ(0, hugetlb_reserve(&pool, 2));
	ASSERT_EQ(0, hugetlb_map(&r, PMD_PAGES));
	expect_forks(_metadata, &self->p, &r, "share", "anon-page");
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&r, 9), &v));
	EXPECT_STREQ("in-place", v.write);
	EXPECT_STREQ("last-mapping", v.write_reason);
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&r, 9), &v));
	EXPECT_STREQ("copy", v.write);
	ASSERT_EQ(0, predict_write(&self->p, "hugetlb", region_page(&r, 9)));
	EXPECT_EQ(self->p.made, self->p.right);
	child_kill(&self->child);
	self->child.pid = 0;
	region_free(&r);
	EXPECT_EQ(0, setting_restore(&pool));
}

/* One page of a huge page that PTEs map, half of it gone to a child. */
TEST_F(page_states, huge_page)
{
	struct region thp;
	struct page_view v;

	ASSERT_EQ(0, thp_map(&thp, 1));
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&thp, 77), &v));
	EXPECT_EQ(9, v.folio.order);
	EXPECT_EQ(1, v.folio.mappings);
	EXPECT_EQ(0, v.folio.pins);
	EXPECT_EQ(v.folio.frame + 77, v.frame);
	expect_forks(_metadata, &self->p, &thp, "share", "anon-page");
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&thp, 77), &v));
	EXPECT_EQ(2, v.sharers);
	EXPECT_STREQ("copy", v.write);
	ASSERT_EQ(0, predict_write(&self->p, "huge", region_page(&thp, 77)));
	child_kill(&self->child);
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&thp, 78), &v));
	EXPECT_STREQ("in-place", v.write);
	EXPECT_STREQ("last-process", v.write_reason);
	ASSERT_EQ(0, predict_write(&self->p, "huge", region_page(&thp, 78)));
	/* The last page of the folio that is mapped is always copied. */
	ASSERT_EQ(0, child_start_idle(&self->child));
	child_kill(&self->child);
	ASSERT_EQ(0, munmap(thp.addr, 200 * PAGE_BYTES));
	ASSERT_EQ(0, munmap(region_page(&thp, 201), (PMD_PAGES - 201) * PAGE_BYTES));
	ASSERT_EQ(0, page_at(self->p.fd, region_page(&thp, 200), &v));
	EXPECT_STREQ("last-page", v.write_reason);
	ASSERT_EQ(0, predict_write(&self->p, "huge", region_page(&thp, 200)));
	EXPECT_EQ(self->p.made, self->p.right);
	munmap(region_page(&thp, 200), PAGE_BYTES);
}

TEST_HARNESS_MAIN
