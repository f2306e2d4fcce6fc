// SPDX-License-Identifier: GPL-2.0
/*
 * userfaultfd's markers: write protection survives swap-out as a marker in an
 * otherwise empty PTE; poison is another marker.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	600
#define FIRST	480	/* the marked pages span two page tables */
#define MARKED	100

FIXTURE(uffd) {
	struct region region;
	struct source src;
	int fd;
};

FIXTURE_VARIANT(uffd) {
	int (*map)(struct region *r, size_t pages);
	bool shared;
};

FIXTURE_VARIANT_ADD(uffd, private_anonymous) {
	.map = region_map_private_anon,
	.shared = false,
};

FIXTURE_VARIANT_ADD(uffd, memfd) {
	.map = region_map_memfd,
	.shared = true,
};

FIXTURE_SETUP(uffd)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_POISON,
	};

	ASSERT_EQ(0, variant->map(&self->region, PAGES));
	self->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_API, &api));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(uffd)
{
	EXPECT_EQ(0, source_close(&self->src));
	close(self->fd);
	region_free(&self->region);
}

static int watch(int fd, const struct region *r, __u64 mode)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)r->addr, r->pages * PAGE_BYTES },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_REGISTER, &reg);
}

static int write_protect(int fd, const struct region *r, __u64 mode)
{
	struct uffdio_writeprotect wp = {
		.range = { (unsigned long)region_page(r, FIRST), MARKED * PAGE_BYTES },
		.mode = mode,
	};

	return ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}

static long marked(const struct source *src, const struct region *r)
{
	return count_entries(src->fd, r->addr, PAGES, PM_UFFD);
}

TEST_F(uffd, protected_and_present)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, write_protect(self->fd, &self->region,
				   UFFDIO_WRITEPROTECT_MODE_WP));
	EXPECT_EQ(MARKED, marked(&self->src, &self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.present);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(uffd, protected_then_swapped)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, write_protect(self->fd, &self->region,
				   UFFDIO_WRITEPROTECT_MODE_WP));
	ASSERT_EQ(0, region_pageout(&self->region));
	EXPECT_EQ(MARKED, marked(&self->src, &self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	survey_print(&s, "write-protected");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(uffd, swapped_then_protected)
{
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, write_protect(self->fd, &self->region,
				   UFFDIO_WRITEPROTECT_MODE_WP));
	EXPECT_EQ(MARKED, marked(&self->src, &self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);

	ASSERT_EQ(0, write_protect(self->fd, &self->region, 0));
	EXPECT_EQ(0, marked(&self->src, &self->region));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

/* Markers over unpopulated pages: entries equal those in /proc. */
TEST_F(uffd, unpopulated_then_protected)
{
	struct survey s;

	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_WP));
	ASSERT_EQ(0, write_protect(self->fd, &self->region,
				   UFFDIO_WRITEPROTECT_MODE_WP));
	EXPECT_EQ(MARKED, marked(&self->src, &self->region));
	EXPECT_EQ(0, compare_range(&self->src, self->region.addr, PAGES));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(0, s.due);
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(uffd, poisoned)
{
	struct uffdio_poison poison = {
		.range = { (unsigned long)region_page(&self->region, FIRST),
			   MARKED * PAGE_BYTES },
	};
	struct survey s;

	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_MISSING));
	ASSERT_EQ(0, ioctl(self->fd, UFFDIO_POISON, &poison));
	EXPECT_EQ((__s64)(MARKED * PAGE_BYTES), poison.updated);
	EXPECT_EQ(MARKED, count_entries(self->src.fd, self->region.addr, PAGES, PM_SWAP));
	EXPECT_EQ(0, compare_range(&self->src, self->region.addr, PAGES));
	ASSERT_EQ(0, survey_region(&self->src, &self->region, &s));
	EXPECT_EQ(0, s.mistaken);
}

/*
 * Poison in one mapping of a file hides the page in swap; another mapping still
 * shows it. PTEs of private pages in swap are occupied: poisoning fails.
 */
TEST_F(uffd, poisoned_over_swapped_pages)
{
	struct uffdio_poison poison = {
		.range = { (unsigned long)region_page(&self->region, FIRST),
			   MARKED * PAGE_BYTES },
	};
	struct region view = self->region;
	struct survey s;

	region_fill(&self->region);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, watch(self->fd, &self->region, UFFDIO_REGISTER_MODE_MISSING));
	if (variant->shared) {
		ASSERT_EQ(0, ioctl(self->fd, UFFDIO_POISON, &poison));
		ASSERT_EQ(0, region_map_view(&view, &self->region, 0, PAGES, MAP_SHARED));
	} else {
		ASSERT_EQ(-1, ioctl(self->fd, UFFDIO_POISON, &poison));
		ASSERT_EQ(EEXIST, errno);
	}
	EXPECT_EQ(0, compare_range(&self->src, region_page(&self->region, FIRST),
				   MARKED));
	ASSERT_EQ(0, survey_region(&self->src, &view, &s));
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
}

TEST_HARNESS_MAIN
