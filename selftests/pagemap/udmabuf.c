// SPDX-License-Identifier: GPL-2.0
/*
 * A DMA buffer made of a memfd's pages. Its mapping is VM_PFNMAP; its entries equal
 * those in /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/udmabuf.h>
#include <sys/ioctl.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600
#define FIRST	100	/* first page of the buffer */
#define BUFFER	200

FIXTURE(udmabuf) {
	struct region file;	/* the memfd, all swapped out */
	struct source src;
	int buffer;
};

FIXTURE_SETUP(udmabuf)
{
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.offset = FIRST * PAGE_BYTES,
		.size = BUFFER * PAGE_BYTES,
	};
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, device) TH_LOG("%m");
	create.memfd = memfd_create("xpagemap-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_EQ(0, ftruncate(create.memfd, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK));
	ASSERT_EQ(0, region_map(&self->file, NULL, PAGES, MAP_SHARED, create.memfd, 0));
	region_fill(&self->file);
	ASSERT_EQ(0, region_pageout(&self->file));
	self->buffer = ioctl(device, UDMABUF_CREATE, &create);
	ASSERT_LE(0, self->buffer) TH_LOG("%m");
	close(device);
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(udmabuf)
{
	EXPECT_EQ(0, source_close(&self->src));
	close(self->buffer);
	region_free(&self->file);
}

static void *map_buffer(int fd)
{
	return mmap(NULL, BUFFER * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* Number of entries of pages in memory or in swap. */
static long telling(int fd, const void *addr)
{
	__u64 entries[BUFFER];
	long count = 0;
	size_t i;

	if (pagemap_read(fd, addr, entries, BUFFER) != BUFFER)
		return -1;
	for (i = 0; i < BUFFER; i++)
		count += !pm_is_nothing(entries[i]);
	return count;
}

TEST_F(udmabuf, untouched_reads_as_in_proc)
{
	void *p = map_buffer(self->buffer);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, telling(self->src.fd, p));
	EXPECT_EQ(0, compare_range(&self->src, p, BUFFER));
	munmap(p, BUFFER * PAGE_BYTES);
}

/* The pages are mapped, but pagemap skips VM_PFNMAP mappings. */
TEST_F(udmabuf, touched_reads_as_in_proc)
{
	unsigned char *p = map_buffer(self->buffer);
	size_t i;

	ASSERT_NE(MAP_FAILED, p);
	/* The buffer's page is the file's page. */
	for (i = 0; i < BUFFER; i += 2)
		EXPECT_TRUE(pattern_matches(p + i * PAGE_BYTES, self->file.id, FIRST + i));
	EXPECT_EQ(0, telling(self->src.fd, p));
	EXPECT_EQ(0, compare_range(&self->src, p, BUFFER));
	munmap(p, BUFFER * PAGE_BYTES);
}

/* In the memfd's own mapping, pinned pages are in memory, the others located. */
TEST_F(udmabuf, memfd_beneath)
{
	struct survey s;

	ASSERT_EQ(BUFFER, region_count(&self->file, PAGE_RESIDENT));
	ASSERT_EQ(0, survey_region(&self->src, &self->file, &s));
	survey_print(&s, "memfd beneath a DMA buffer");
	EXPECT_EQ(PAGES - BUFFER, s.located);
	EXPECT_EQ(BUFFER, s.nothing);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, filemap_survey(&self->file));
}

TEST_HARNESS_MAIN
