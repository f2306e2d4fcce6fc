// SPDX-License-Identifier: GPL-2.0
/*
 * vm.pagemap_shmem_swap: off, reads are unchanged; on, unchanged programs see shared
 * memory in swap.
 */
#include <fcntl.h>
#include <linux/capability.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	256		/* the sizes of the patch posting of 2021 */
#define LIMIT	(512 << 10)

FIXTURE(sysctl) {
	struct cgroup cg;
	struct region region;
	int fd;
};

FIXTURE_SETUP(sysctl)
{
	ASSERT_EQ(0, region_map_shared_anon(&self->region, PAGES));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_set_max(&self->cg, LIMIT));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
	self->fd = proc_pagemap_open(getpid());
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(sysctl)
{
	EXPECT_EQ(0, write_text(PAGEMAP_SYSCTL, "0"));
	close(self->fd);
	region_free(&self->region);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* Reads the region's entries with dd and hexdump. Returns the bytes, or -1. */
static long dd_and_hexdump(const struct region *r, unsigned char *bytes, size_t size)
{
	unsigned long offset, filled = 0;
	char command[256], line[128];
	bool repeat = false;
	unsigned int byte;
	int got, used;
	char *next;
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "dd if=/proc/%d/pagemap ibs=8 skip=%lu count=%zu 2>/dev/null | hexdump -C",
		 getpid(), (unsigned long)r->addr / PAGE_BYTES, r->pages);
	pipe = popen(command, "r");
	if (!pipe)
		return -1;
	while (fgets(line, sizeof(line), pipe)) {
		if (*line == '*') {
			repeat = true;
			continue;
		}
		if (sscanf(line, "%lx%n", &offset, &used) != 1 || offset > size)
			break;
		for (; repeat && filled < offset && filled >= 16; filled++)
			bytes[filled] = bytes[filled - 16];
		repeat = false;
		for (next = line + used; filled < size; next += got) {
			if (sscanf(next, " %2x%n", &byte, &got) != 1)
				break;
			bytes[filled++] = byte;
		}
	}
	return pclose(pipe) ? -1 : (long)filled;
}

static long in_swap(const __u64 *entries)
{
	long count = 0;
	size_t i;

	for (i = 0; i < PAGES; i++)
		count += pm_is_swap(entries[i]);
	return count;
}

/* The commands posted in 2021, with the output that was asked for. */
TEST_F(sysctl, commands_of_the_posting)
{
	long swapped = region_count(&self->region, PAGE_SWAPPED);
	__u64 shown[PAGES], entries[PAGES];

	EXPECT_LE(PAGES - LIMIT / (long)PAGE_BYTES, swapped);
	ASSERT_EQ((long)sizeof(shown),
		  dd_and_hexdump(&self->region, (unsigned char *)shown, sizeof(shown)));
	EXPECT_EQ(0, in_swap(shown));

	ASSERT_EQ(0, write_text(PAGEMAP_SYSCTL, "1"));
	ASSERT_EQ((long)sizeof(shown),
		  dd_and_hexdump(&self->region, (unsigned char *)shown, sizeof(shown)));
	EXPECT_EQ(swapped, in_swap(shown));
	ksft_print_msg("%ld of %d pages shown in swap\n", in_swap(shown), PAGES);
	ASSERT_EQ(PAGES, pagemap_bulk_read(self->fd, self->region.addr, entries, PAGES,
					   PM_READ_SHMEM_SWAP));
	EXPECT_EQ(0, memcmp(shown, entries, sizeof(shown)));
}

TEST_F(sysctl, off_by_default_and_only_on_or_off)
{
	char text[16];

	ASSERT_LT(0, read_text(PAGEMAP_SYSCTL, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
	EXPECT_EQ(-EINVAL, write_text(PAGEMAP_SYSCTL, "2"));
	EXPECT_EQ(-EINVAL, write_text(PAGEMAP_SYSCTL, "-1"));
	ASSERT_LT(0, read_text(PAGEMAP_SYSCTL, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
}

static int turn_on_without_capability(struct child *c, void *arg)
{
	(void)c;
	(void)arg;
	return drop_capability(CAP_SYS_ADMIN) || write_text(PAGEMAP_SYSCTL, "1") != -EPERM;
}

TEST_F(sysctl, on_only_with_capability)
{
	char text[16];
	struct child c;

	ASSERT_EQ(0, child_start(&c, turn_on_without_capability, NULL));
	EXPECT_EQ(0, child_wait(&c));
	ASSERT_LT(0, read_text(PAGEMAP_SYSCTL, text, sizeof(text)));
	EXPECT_STREQ("0\n", text);
}

TEST_F(sysctl, off_again_as_before)
{
	__u64 before[PAGES], on[PAGES], after[PAGES];

	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->region.addr, before, PAGES));
	ASSERT_EQ(PAGES, pagemap_sysctl_read(self->fd, self->region.addr, on, PAGES));
	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->region.addr, after, PAGES));
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	EXPECT_NE(0, memcmp(before, on, sizeof(before)));
}

/* Reads of 8 bytes and of odd numbers of entries. */
TEST_F(sysctl, any_part_is_as_in_the_whole)
{
	static const size_t lengths[] = { 1, 3, 64, 255 };
	__u64 whole[PAGES], part[PAGES];
	size_t i, from, len;

	ASSERT_EQ(0, write_text(PAGEMAP_SYSCTL, "1"));
	ASSERT_EQ(PAGES, pagemap_read(self->fd, self->region.addr, whole, PAGES));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (from = 0; from < PAGES; from += len) {
			len = lengths[i] < PAGES - from ? lengths[i] : PAGES - from;
			ASSERT_EQ((long)len,
				  pagemap_read(self->fd, region_page(&self->region, from),
					       part + from, len));
		}
		EXPECT_EQ(0, memcmp(part, whole, sizeof(whole)))
			TH_LOG("%zu entries at a time", lengths[i]);
	}
}

/* Exit status 0: all checks hold. */
static int without_capability(struct child *c, void *arg)
{
	const struct region *r = arg;
	__u64 entries[PAGES];
	size_t i;
	int fd;

	(void)c;
	if (drop_capability(CAP_SYS_ADMIN))
		return 2;
	fd = proc_pagemap_open(getpid());
	if (fd < 0 || pagemap_read(fd, r->addr, entries, PAGES) != PAGES)
		return 3;
	for (i = 0; i < PAGES; i++)
		if (entries[i] & PM_FRAME)
			return 4;
	if (in_swap(entries) != region_count(r, PAGE_SWAPPED))
		return 5;
	return write_text(PAGEMAP_SYSCTL, "0") == -EPERM ? 0 : 6;
}

TEST_F(sysctl, without_capability_flags_but_no_places)
{
	struct child c;
	int status;

	ASSERT_EQ(0, write_text(PAGEMAP_SYSCTL, "1"));
	ASSERT_EQ(0, child_start(&c, without_capability, &self->region));
	status = child_wait(&c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_HARNESS_MAIN
