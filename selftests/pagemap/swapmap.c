// SPDX-License-Identifier: GPL-2.0
/*
 * PID/swapmap and files/ID/swapmap list the swapped pages of pagemap and filemap, page
 * for page, in as few lines as possible. The entries of these are compared with
 * the bytes on the disk.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/harness.h"
#include "lib/lib.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif

#define PAGES 600	/* more than one page table */

FIXTURE(swapmap) {
	struct source src;
};

FIXTURE_SETUP(swapmap)
{
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(swapmap)
{
	EXPECT_EQ(0, source_close(&self->src));
}

/* Prints the first line in which two texts differ. */
static void print_difference(const char *got, const char *expected)
{
	size_t line = 0, i;

	for (i = 0; got[i] && got[i] == expected[i]; i++)
		if (got[i] == '\n')
			line = i + 1;
	ksft_print_msg("from byte %zu on: %.60s\n", line, got + line);
	ksft_print_msg("expected: %.60s\n", expected + line);
}

static void expect_text(struct __test_metadata *_metadata, const char *got,
			const struct listing *ls)
{
	char *joined;

	ASSERT_NE(NULL, got);
	EXPECT_LE((long)ls->lines, listing_check(got, ls->unit));
	joined = listing_joined(got, ls->unit);
	ASSERT_NE(NULL, joined);
	EXPECT_EQ(0, strcmp(joined, ls->text)) print_difference(joined, ls->text);
	free(joined);
}

/* Compares this process's swapmap with all of its pagemap. Returns the number of lines. */
static size_t expect_listed(struct __test_metadata *_metadata)
{
	struct listing ls;
	size_t lines, len;
	char *text;

	ASSERT_EQ(0, listing_of_process(&ls, getpid(), NULL, NULL));
	text = swapmap_read(getpid(), 65536, &len);
	expect_text(_metadata, text, &ls);
	lines = ls.lines;
	listing_free(&ls);
	free(text);
	return lines;
}

static void expect_located(struct __test_metadata *_metadata, const struct source *src,
			   const struct region *r, size_t pages)
{
	struct survey s;

	ASSERT_EQ(0, survey_region(src, r, &s));
	EXPECT_EQ(pages, s.located) survey_print(&s, "swapped");
	EXPECT_EQ(0, s.mistaken);
}

TEST_F(swapmap, empty_where_nothing_is_swapped)
{
	struct child c;
	size_t len;
	char *text;

	ASSERT_EQ(0, child_start_idle(&c));
	EXPECT_EQ(0, attach(c.pid));
	text = swapmap_read(c.pid, 4096, &len);
	EXPECT_NE(NULL, text);
	EXPECT_EQ(0, len) TH_LOG("%s", text);
	free(text);
	EXPECT_EQ(0, detach(c.pid));
	child_kill(&c);
}

TEST_F(swapmap, shared_memory)
{
	struct region r;
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	expect_located(_metadata, &self->src, &r, PAGES);
	EXPECT_LT(0, expect_listed(_metadata));
	/* Read some pages back, punch holes: shorter runs are left. */
	for (i = 3; i < PAGES; i += 50)
		ASSERT_TRUE(pattern_matches(region_page(&r, i), r.id, i));
	ASSERT_EQ(0, fallocate(r.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       510 * PAGE_BYTES, 4 * PAGE_BYTES));
	EXPECT_LT(PAGES / 50, expect_listed(_metadata));
	region_free(&r);
}

TEST_F(swapmap, private_memory)
{
	struct region r;

	ASSERT_EQ(0, region_map_private_anon(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout_pages(&r, 20, 530));
	expect_located(_metadata, &self->src, &r, 530);
	EXPECT_LT(0, expect_listed(_metadata));
	region_free(&r);
}

/* Pages of the file and private copies alternate, all in swap. */
TEST_F(swapmap, private_mapping_of_a_file)
{
	__u64 own = pattern_new_id(), ids[PAGES] = {};
	struct region file, view;
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&file, PAGES));
	region_fill(&file);
	ASSERT_EQ(0, region_map_view(&view, &file, 0, PAGES, MAP_PRIVATE));
	view.ids = ids;
	for (i = 0; i < PAGES; i += 3) {
		ids[i] = own;
		region_fill_page(&view, i);
	}
	ASSERT_EQ(0, region_pageout(&view));
	ASSERT_EQ(0, region_pageout(&file));
	expect_located(_metadata, &self->src, &view, PAGES);
	EXPECT_LE(PAGES / 3 * 2, expect_listed(_metadata));
	region_unmap(&view);
	region_free(&file);
}

/* The file has one page in swap, far from the others: page tables alone tell of the copies. */
TEST_F(swapmap, private_copies_where_the_file_has_holes)
{
	__u64 own = pattern_new_id(), ids[PAGES] = {};
	struct region file, view;
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&file, PAGES));
	region_fill_page(&file, 0);
	ASSERT_EQ(0, region_map_view(&view, &file, 0, PAGES, MAP_PRIVATE));
	view.ids = ids;
	for (i = PAGES / 2; i < PAGES; i++) {
		ids[i] = own;
		region_fill_page(&view, i);
	}
	ASSERT_EQ(0, region_pageout(&view));
	ASSERT_EQ(0, region_pageout(&file));
	EXPECT_LT(1, expect_listed(_metadata));
	region_unmap(&view);
	region_free(&file);
}

/* mprotect(2) splits the VMA into three; it is still one run. */
TEST_F(swapmap, runs_go_on_from_one_mapping_to_the_next)
{
	struct region r;
	size_t lines;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	lines = expect_listed(_metadata);
	ASSERT_EQ(0, mprotect(region_page(&r, 100), 7 * PAGE_BYTES, PROT_READ));
	EXPECT_EQ(lines, expect_listed(_metadata));
	region_free(&r);
}

TEST_F(swapmap, large_folios_are_one_run_each_at_most)
{
	struct cgroup cg;
	struct mounted fs;
	struct region r;
	size_t whole;
	void *at;
	int fd;

	ASSERT_EQ(0, mounted_tmpfs(&fs, "huge=always"));
	fd = mounted_file(&fs, "file", 2 * PMD_PAGES);
	ASSERT_LE(0, fd);
	at = region_find_aligned(2 * PMD_BYTES);
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, region_map(&r, at, 2 * PMD_PAGES, MAP_SHARED | MAP_FIXED, fd, 0));
	ASSERT_EQ(0, cgroup_create(&cg));
	EXPECT_EQ(0, cgroup_enter(&cg));
	region_fill(&r);
	EXPECT_EQ(0, cgroup_leave());
	EXPECT_EQ(0, region_pageout(&r));
	expect_located(_metadata, &self->src, &r, 2 * PMD_PAGES);
	whole = expect_listed(_metadata);
	EXPECT_GE(2, whole);
	/* With the folio in the swap cache, the hole would bring all of it back. */
	EXPECT_EQ(0, cgroup_drop_swap_cache(&cg));
	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       100 * PAGE_BYTES, PAGE_BYTES));
	EXPECT_EQ(whole + 1, expect_listed(_metadata));
	region_free(&r);
	EXPECT_EQ(0, mounted_remove(&fs));
	EXPECT_EQ(0, cgroup_destroy(&cg));
}

TEST_F(swapmap, guard_regions_hide_what_is_behind)
{
	struct region r;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, madvise(region_page(&r, 500), 30 * PAGE_BYTES, MADV_GUARD_INSTALL));
	expect_located(_metadata, &self->src, &r, PAGES - 30);
	EXPECT_LE(2, expect_listed(_metadata));
	region_free(&r);
}

/* uffd-wp markers over swapped and over unpopulated pages, and poison. */
TEST_F(swapmap, marks_of_userfaultfd_are_no_places)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_POISON,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_register reg = {
		.mode = UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	struct uffdio_poison poison = {};
	struct region r;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	/* The upper half is never written. */
	r.pages = PAGES / 2;
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	reg.range = (struct uffdio_range){ (unsigned long)r.addr, PAGES * PAGE_BYTES };
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &reg));
	wp.range = (struct uffdio_range){
		(unsigned long)region_page(&r, 200), 200 * PAGE_BYTES
	};
	ASSERT_EQ(0, ioctl(fd, UFFDIO_WRITEPROTECT, &wp));
	poison.range = (struct uffdio_range){
		(unsigned long)region_page(&r, 10), 5 * PAGE_BYTES
	};
	ASSERT_EQ(0, ioctl(fd, UFFDIO_POISON, &poison));
	EXPECT_EQ(300 - 5, count_entries(self->src.fd, r.addr, 300, PM_SWAP | PM_FILE));
	EXPECT_LE(2, expect_listed(_metadata));
	r.pages = PAGES;
	region_free(&r);
	close(fd);
}

static void expect_file_listed(struct __test_metadata *_metadata, int fd, size_t pages,
			       size_t swapped)
{
	struct listing ls;
	size_t len, sum = 0;
	const char *at;
	struct run r;
	char id[64];
	char *text;
	int map;

	file_id(fd, id, sizeof(id));
	map = filemap_open(id);
	ASSERT_LE(0, map);
	ASSERT_EQ(0, listing_of_file(&ls, map, pages));
	close(map);
	map = swapmap_open_file(id);
	ASSERT_LE(0, map);
	text = read_to_end(map, 65536, &len);
	close(map);
	expect_text(_metadata, text, &ls);
	for (at = text; *at && listing_parse(&at, &r);)
		sum += r.pages;
	EXPECT_EQ(swapped, sum);
	listing_free(&ls);
	free(text);
}

TEST(swapmap_of_a_file)
{
	struct region r;
	char id[64];
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&r, PAGES));
	ASSERT_EQ(0, attach_fd(r.fd));
	expect_file_listed(_metadata, r.fd, PAGES, 0);
	for (i = 0; i < PAGES; i++)
		if (i % 7)
			region_fill_page(&r, i);
	expect_file_listed(_metadata, r.fd, PAGES, 0);
	ASSERT_EQ(0, region_pageout(&r));
	expect_file_listed(_metadata, r.fd, PAGES, PAGES - 86);
	ASSERT_EQ(0, fallocate(r.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       70 * PAGE_BYTES, 7 * PAGE_BYTES));
	expect_file_listed(_metadata, r.fd, PAGES, PAGES - 92);
	file_id(r.fd, id, sizeof(id));
	EXPECT_EQ(0, detach_fd(id));
	region_free(&r);
}

/* Allocated beyond the file's size (FALLOC_FL_KEEP_SIZE) and swapped out. */
TEST(swapmap_of_a_file_beyond_its_size)
{
	int fd = memfd_create("xpagemap-test", MFD_CLOEXEC), tries, map;
	long in_memory = 64;
	struct cgroup cg;
	__u64 entries[64];
	char id[64];
	int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE_BYTES));
	ASSERT_EQ(0, cgroup_create(&cg));
	EXPECT_EQ(0, cgroup_enter(&cg));
	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 64 * PAGE_BYTES));
	EXPECT_EQ(0, cgroup_leave());
	EXPECT_EQ(0, attach_fd(fd));
	file_id(fd, id, sizeof(id));
	map = filemap_open(id);
	ASSERT_LE(0, map);
	for (tries = 0; tries < RECLAIM_TRIES && in_memory; tries++) {
		cgroup_reclaim(&cg, 1 << 20);
		usleep(20000);
		EXPECT_EQ(64, filemap_read(map, 0, entries, 64));
		for (in_memory = 0, i = 0; i < 64; i++)
			in_memory += !!(entries[i] & PM_PRESENT);
	}
	EXPECT_EQ(0, in_memory);
	expect_file_listed(_metadata, fd, 64, 64);
	close(map);
	EXPECT_EQ(0, detach_fd(id));
	close(fd);
	EXPECT_EQ(0, cgroup_destroy(&cg));
}

TEST_HARNESS_MAIN
