// SPDX-License-Identifier: GPL-2.0
/*
 * Counts of smaps and mincore() for large folios in swap: of a page cache entry for
 * many pages, only the pages asked about count.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mount.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	(2 * PMD_PAGES)
#define SWPOUT	"/sys/kernel/mm/transparent_hugepage/hugepages-2048kB/stats/swpout"

FIXTURE(usage) {
	char dir[64];
	struct cgroup cg;
	struct region region;
	struct setting cluster;
};

/* Number of 2 MiB folios swapped out whole since boot. */
static long whole_folios(void)
{
	char text[32];

	return read_text(SWPOUT, text, sizeof(text)) < 0 ? -1 : atol(text);
}

FIXTURE_SETUP(usage)
{
	void *at = region_find_aligned(PAGES * PAGE_BYTES);
	char path[128];
	long before;
	int fd;

	ASSERT_NE(NULL, at);
	/* Read-ahead for a fault of another page would fill the swap cache. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	snprintf(self->dir, sizeof(self->dir), "/run/xpagemap-usage-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	ASSERT_EQ(0, mount("xpagemap-test", self->dir, "tmpfs", 0, "huge=always"));
	snprintf(path, sizeof(path), "%s/file", self->dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGES * PAGE_BYTES));
	ASSERT_EQ(0, region_map(&self->region, at, PAGES, MAP_SHARED | MAP_FIXED, fd, 0));
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	region_fill(&self->region);
	ASSERT_EQ(0, cgroup_leave());
	before = whole_folios();
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ((long)(PAGES / PMD_PAGES), whole_folios() - before);
}

FIXTURE_TEARDOWN(usage)
{
	region_free(&self->region);
	EXPECT_EQ(0, umount2(self->dir, MNT_DETACH));
	rmdir(self->dir);
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* Pages in swap of the mapping at @addr, by smaps. */
static long long smaps_swap(const void *addr)
{
	char header[64], line[4096];
	long long kb = -1;
	FILE *smaps;

	snprintf(header, sizeof(header), "%lx-", (unsigned long)addr);
	smaps = fopen("/proc/self/smaps", "r");
	if (!smaps)
		return -1;
	while (fgets(line, sizeof(line), smaps))
		if (!strncmp(line, header, strlen(header)))
			break;
	while (kb < 0 && fgets(line, sizeof(line), smaps))
		if (sscanf(line, "Swap: %lld kB", &kb) == 1)
			break;
	fclose(smaps);
	return kb < 0 ? kb : kb * 1024 / (long long)PAGE_BYTES;
}

/* stock: fails: smaps counts whole entries */
TEST_F(usage, shared_mapping_of_parts_of_entries)
{
	static const struct { size_t skip, pages; } views[] = {
		{ 0, 1 }, { 511, 1 }, { 511, 2 }, { 256, 256 }, { 100, 700 },
		{ 512, 512 }, { 1, PAGES - 1 }, { 0, PAGES - 1 },
	};
	struct region view;
	size_t i;

	EXPECT_EQ((long long)PAGES, smaps_swap(self->region.addr));
	for (i = 0; i < ARRAY_SIZE(views); i++) {
		ASSERT_EQ(0, region_map_view(&view, &self->region, views[i].skip,
					     views[i].pages, MAP_SHARED));
		EXPECT_EQ((long long)views[i].pages, smaps_swap(view.addr))
			TH_LOG("%zu pages from %zu on", views[i].pages, views[i].skip);
		region_unmap(&view);
	}
}

/*
 * A private mapping with a page table, empty but for a page of another mapping:
 * smaps looks up page by page.
 */
/* stock: fails: smaps counts an entry once for each page */
TEST_F(usage, private_mapping_page_by_page)
{
	unsigned char *at = region_find_aligned(PMD_BYTES);
	struct region view = self->region;

	ASSERT_NE(NULL, at);
	ASSERT_EQ(at, mmap(at, PAGE_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	*at = 1;
	ASSERT_EQ(0, region_map(&view, at + PMD_BYTES / 2, PMD_PAGES / 2,
				MAP_PRIVATE | MAP_FIXED, self->region.fd, 0));
	EXPECT_EQ((long long)PMD_PAGES / 2, smaps_swap(view.addr));
	region_unmap(&view);
	munmap(at, PAGE_BYTES);
}

static long in_memory(const struct region *r)
{
	unsigned char incore[PAGES];
	long count = 0;
	size_t i;

	if (mincore(r->addr, PAGES * PAGE_BYTES, incore))
		return -errno;
	for (i = 0; i < PAGES; i++)
		count += incore[i] & 1;
	return count;
}

/*
 * MADV_WILLNEED of one page of each entry reads it into the swap cache, without
 * readahead: mincore() reports that page and no other of the entry.
 */
/* stock: fails: mincore looks up the first page of an entry only */
TEST_F(usage, mincore_of_entries_partly_in_the_swap_cache)
{
	static const size_t wanted[] = { 0, PMD_PAGES };
	size_t i, tries;

	for (i = 0; i < 200 && in_memory(&self->region); i++) {
		/* Folios in another CPU's LRU batch cannot be reclaimed. */
		ASSERT_EQ(0, write_text("/proc/sys/vm/drop_caches", "1"));
		cgroup_reclaim(&self->cg, 1UL << 30);
		usleep(20000);
	}
	ASSERT_EQ(0, in_memory(&self->region));
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		ASSERT_EQ(0, madvise(region_page(&self->region, wanted[i]), PAGE_BYTES,
				     MADV_WILLNEED));
		/* The read is asynchronous. */
		for (tries = 0; tries < 1000 && in_memory(&self->region) <= (long)i; tries++)
			usleep(20000);
		usleep(100000);
		EXPECT_EQ((long)i + 1, in_memory(&self->region));
	}
}

TEST_HARNESS_MAIN
