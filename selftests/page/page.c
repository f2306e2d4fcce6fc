// SPDX-License-Identifier: GPL-2.0
/*
 * PID/page: the address that is written, errors, and each line of pages whose state is
 * known by other means.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES 8

FIXTURE(page) {
	struct region region;
	struct exclusive ex;
	struct kpage kp;
	int fd;
};

FIXTURE_SETUP(page)
{
	ASSERT_EQ(0, kpage_open(&self->kp));
	ASSERT_EQ(0, region_map_apart(&self->region, PAGES));
	region_fill(&self->region);
	ASSERT_EQ(0, exclusive_open(&self->ex, getpid()));
	self->fd = page_open(getpid());
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(page)
{
	close(self->fd);
	EXPECT_EQ(0, exclusive_close(&self->ex));
	region_free(&self->region);
	kpage_close(&self->kp);
}

/* The entries are those of the two binary files. */
static void expect_entries(struct __test_metadata *_metadata, const struct exclusive *ex,
			   const struct page_view *v, const void *addr)
{
	int fd = target_open(ex->pid);
	__u64 entry = 0;

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, pagemap_read(fd, addr, &entry, 1));
	close(fd);
	EXPECT_EQ(entry, v->pagemap);
	EXPECT_EQ(exclusive_at(ex, addr), v->exclusive);
	EXPECT_EQ((unsigned long)addr, v->addr);
	EXPECT_FALSE(v->malformed);
	EXPECT_EQ(0, v->comments);
}

TEST_F(page, read_before_write)
{
	char c;

	EXPECT_EQ(-1, read(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(page, malformed_addresses_change_nothing)
{
	static const char *const malformed[] = {
		"\n", "0x\n", "0x", "-1\n", "+1\n", " 1\n", "1 2\n", "1\n\n", "xyz\n", "0X1\n",
		"10000000000000000\n", "0x0x1\n",
		/* longer than any number that fits */
		"00000000000000000000000000000000000000000000000000000000000000000001\n",
	};
	struct page_view v;
	size_t i;

	ASSERT_EQ(0, page_at(self->fd, self->region.addr, &v));
	for (i = 0; i < ARRAY_SIZE(malformed); i++)
		EXPECT_EQ(-EINVAL, page_choose_text(self->fd, malformed[i]))
			TH_LOG("%zu", i);
	ASSERT_EQ(0, page_read(self->fd, &v));
	EXPECT_EQ((unsigned long)self->region.addr, v.addr);
	EXPECT_EQ(-1, write(self->fd, (void *)8, 4));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(page, address_with_and_without_prefix_newline_and_offset)
{
	static const char *const forms[] = { "%lx", "%lx\n", "0x%lx\n", "%lX\n" };
	struct page_view v;
	char text[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		sprintf(text, forms[i], (unsigned long)region_page(&self->region, i) + i);
		ASSERT_EQ(0, page_choose_text(self->fd, text));
		ASSERT_EQ(0, page_read(self->fd, &v));
		EXPECT_EQ((unsigned long)region_page(&self->region, i), v.addr);
	}
}

TEST_F(page, each_open_file_has_its_own_address)
{
	int other = page_open(getpid());
	struct page_view v;
	char c;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, page_choose(self->fd, self->region.addr));
	EXPECT_EQ(-1, read(other, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, page_choose(other, region_page(&self->region, 1)));
	ASSERT_EQ(0, page_read(self->fd, &v));
	EXPECT_EQ((unsigned long)self->region.addr, v.addr);
	ASSERT_EQ(0, page_read(other, &v));
	EXPECT_EQ((unsigned long)region_page(&self->region, 1), v.addr);
	close(other);
}

TEST_F(page, text_does_not_depend_on_the_sizes_of_reads)
{
	struct textfile file = { .fd = self->fd };
	size_t len;

	region_drain_batches();
	ASSERT_EQ(0, page_choose(self->fd, self->region.addr));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	file.text = read_to_end(self->fd, 4096, &len);
	ASSERT_NE(NULL, file.text);
	file.len = len;
	EXPECT_TRUE(textfile_same_by_sizes(&file));
	EXPECT_TRUE(textfile_same_from_anywhere(&file));
	free((char *)file.text);
}

TEST_F(page, exclusive_page)
{
	unsigned char *addr = region_page(&self->region, 3);
	struct page_view v;

	region_drain_batches();
	ASSERT_EQ(0, page_at(self->fd, addr, &v));
	expect_entries(_metadata, &self->ex, &v, addr);
	EXPECT_EQ((unsigned long)self->region.addr, v.start);
	EXPECT_EQ((unsigned long)self->region.addr + PAGES * PAGE_BYTES, v.end);
	EXPECT_STREQ("rw-p", v.permissions);
	EXPECT_EQ(frame_at(&self->ex, addr), v.frame);
	ASSERT_TRUE(v.folio.found);
	EXPECT_EQ(v.frame, v.folio.frame);
	EXPECT_EQ(0, v.folio.order);
	EXPECT_EQ(1, v.folio.references);
	EXPECT_EQ(1, v.folio.mappings);
	EXPECT_EQ(0, v.folio.pins);
	EXPECT_TRUE(v.anon_vma);
	EXPECT_STREQ("", v.file);
	EXPECT_FALSE(v.slot.found);
	EXPECT_EQ(1, v.sharers);
	EXPECT_TRUE(page_has_sharer(&v, getpid(), addr));
	EXPECT_STREQ("in-place", v.write);
	EXPECT_STREQ("share", v.fork);
}

TEST_F(page, page_of_a_memfd)
{
	struct region r, view;
	struct page_view v;
	char id[PAGE_WORD];
	struct stat st;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_map_view(&view, &r, 2, 4, MAP_SHARED));
	ASSERT_EQ(0, fstat(r.fd, &st));
	sprintf(id, "%u:%u:%llu", major(st.st_dev), minor(st.st_dev),
		(unsigned long long)st.st_ino);
	ASSERT_EQ(0, madvise(view.addr, 4 * PAGE_BYTES, MADV_POPULATE_READ));
	ASSERT_EQ(0, page_at(self->fd, region_page(&view, 1), &v));
	expect_entries(_metadata, &self->ex, &v, region_page(&view, 1));
	EXPECT_STREQ("rw-s", v.permissions);
	EXPECT_STREQ(id, v.file);
	EXPECT_EQ(3, v.file_index);
	EXPECT_FALSE(v.anon_vma);
	EXPECT_EQ(2, v.sharers);
	EXPECT_TRUE(page_has_sharer(&v, getpid(), region_page(&r, 3)));
	EXPECT_TRUE(page_has_sharer(&v, getpid(), region_page(&view, 1)));
	region_unmap(&view);
	region_free(&r);
}

TEST_F(page, pages_in_swap)
{
	unsigned char *addr = region_page(&self->region, 5);
	struct child child;
	struct page_view v;
	size_t tries;
	__u64 entry;

	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, child_start_idle(&child));
	ASSERT_EQ(1, pagemap_read(self->ex.proc, addr, &entry, 1));
	ASSERT_EQ(0, page_at(self->fd, addr, &v));
	expect_entries(_metadata, &self->ex, &v, addr);
	ASSERT_TRUE(v.slot.found);
	EXPECT_EQ(entry & 0x1f, v.slot.type);
	EXPECT_EQ((entry & ((1ULL << 55) - 1)) >> 5, v.slot.offset);
	EXPECT_EQ(0, v.frame);
	EXPECT_FALSE(v.folio.found);
	EXPECT_TRUE(v.anon_vma);
	EXPECT_EQ(2, v.sharers);
	EXPECT_TRUE(page_has_sharer(&v, getpid(), addr));
	EXPECT_TRUE(page_has_sharer(&v, child.pid, addr));
	EXPECT_STREQ("fault", v.write);
	EXPECT_STREQ("swap-in-copy", v.write_reason);
	child_kill(&child);
	/* Read-ahead for a fault of another page may have the page locked for a moment. */
	for (tries = 0; tries < 500; tries++) {
		ASSERT_EQ(0, page_at(self->fd, addr, &v));
		if (!strcmp(v.write_reason, "swap-in-last"))
			break;
		usleep(20000);
	}
	EXPECT_EQ(1, v.sharers);
	EXPECT_STREQ("swap-in-last", v.write_reason);
}

TEST_F(page, memfd_in_swap)
{
	struct page_view v;
	struct region r;
	__u64 entry;
	int fd;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	fd = target_open(getpid());
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, pagemap_read(fd, region_page(&r, 2), &entry, 1));
	close(fd);
	ASSERT_EQ(0, page_at(self->fd, region_page(&r, 2), &v));
	EXPECT_EQ(entry, v.pagemap);
	ASSERT_TRUE(v.slot.found);
	EXPECT_EQ(entry & 0x1f, v.slot.type);
	EXPECT_EQ((entry & ((1ULL << 55) - 1)) >> 5, v.slot.offset);
	EXPECT_EQ(2, v.file_index);
	EXPECT_EQ(0, v.sharers);
	EXPECT_STREQ("fault", v.write);
	EXPECT_STREQ("shared-page", v.write_reason);
	EXPECT_STREQ("skip", v.fork);
	region_free(&r);
}

TEST_F(page, addresses_without_a_page)
{
	static const unsigned long nowhere[] = { 0, 0xffffffff81000000, ~0UL };
	struct page_view v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		ASSERT_EQ(0, page_at(self->fd, (void *)nowhere[i], &v));
		EXPECT_EQ(nowhere[i] & ~(PAGE_BYTES - 1), v.addr);
		EXPECT_EQ(0, v.end);
		EXPECT_EQ(0, v.exclusive);
		EXPECT_EQ(0, v.sharers);
		EXPECT_STREQ("denied", v.write);
		EXPECT_STREQ("skip", v.fork);
		EXPECT_FALSE(v.malformed);
	}
}

/* The text of a target that is gone is one line that begins with '#'. */
TEST_F(page, process_that_exited)
{
	struct page_view v;
	struct child child;
	pid_t pid;
	int fd;

	ASSERT_EQ(0, child_start_idle(&child));
	pid = child.pid;
	ASSERT_EQ(0, attach(pid));
	fd = page_open(pid);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, page_at(fd, self->region.addr, &v));
	EXPECT_STREQ("copy", v.write);
	child_kill(&child);
	ASSERT_EQ(0, page_read(fd, &v));
	EXPECT_EQ(1, v.comments);
	EXPECT_STREQ("", v.write);
	EXPECT_EQ(0, detach(pid));
	EXPECT_EQ(-EIO, page_choose(fd, self->region.addr));
	close(fd);
}

static int open_without_capability(struct child *c, void *arg)
{
	pid_t *pid = arg;

	(void)c;
	if (drop_capability(CAP_SYS_ADMIN))
		return 255;
	return -page_open(*pid);
}

TEST_F(page, only_for_the_administrator)
{
	pid_t self_pid = getpid();
	struct child c;
	struct stat st;
	char path[64];
	int status;

	sprintf(path, XPAGEMAP_DIR "/%d/page", getpid());
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_EQ(S_IFREG | 0600, st.st_mode);
	ASSERT_EQ(0, child_start(&c, open_without_capability, &self_pid));
	status = child_wait(&c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EPERM, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
