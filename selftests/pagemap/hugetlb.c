// SPDX-License-Identifier: GPL-2.0
/* hugetlb pages are never swapped: their entries equal those in /proc. */
#include <errno.h>
#include <linux/memfd.h>
#include <linux/mman.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define NR_HUGEPAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define HUGE_PAGES 3

FIXTURE(hugetlb) {
	struct source src;
	struct setting reserved;
};

FIXTURE_SETUP(hugetlb)
{
	TEARDOWN_FROM_HERE();
	/* Enough for a file's pages and the copies of a private mapping. */
	ASSERT_EQ(0, setting_change(&self->reserved, NR_HUGEPAGES, "6"));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN_PARENT(hugetlb)
{
	if (self->src.attached)
		EXPECT_EQ(0, detach(self->src.pid));
	EXPECT_EQ(0, setting_restore(&self->reserved));
}

/* Two huge pages are touched, one is not. Reads also begin and end inside them. */
static void expect_as_in_proc(struct __test_metadata *_metadata, const struct source *src,
			      int flags, int fd)
{
	unsigned char *p = mmap(NULL, HUGE_PAGES * PMD_BYTES, PROT_READ | PROT_WRITE,
				flags, fd, 0);

	ASSERT_NE(MAP_FAILED, p) TH_LOG("no huge pages to be had: %m");
	memset(p, 1, 2 * PMD_BYTES);
	EXPECT_EQ(2 * (long)PMD_PAGES,
		  count_entries(src->fd, p, HUGE_PAGES * PMD_PAGES, PM_PRESENT));
	EXPECT_EQ(0, compare_range(src, p, HUGE_PAGES * PMD_PAGES));
	EXPECT_EQ(0, compare_range(src, p + 500 * PAGE_BYTES, 20));
	EXPECT_EQ(0, compare_range(src, p + 1000 * PAGE_BYTES, 50));
	munmap(p, HUGE_PAGES * PMD_BYTES);
}

TEST_F(hugetlb, private_anonymous)
{
	expect_as_in_proc(_metadata, &self->src,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

TEST_F(hugetlb, shared_anonymous)
{
	expect_as_in_proc(_metadata, &self->src,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
}

TEST_F(hugetlb, memfd)
{
	int fd = memfd_create("xpagemap-test", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, HUGE_PAGES * PMD_BYTES));
	expect_as_in_proc(_metadata, &self->src, MAP_SHARED, fd);
	expect_as_in_proc(_metadata, &self->src, MAP_PRIVATE, fd);
	EXPECT_EQ(-EOPNOTSUPP, attach_fd(fd));
	close(fd);
}

TEST_HARNESS_MAIN
