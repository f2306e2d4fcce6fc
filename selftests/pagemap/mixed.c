// SPDX-License-Identifier: GPL-2.0
/* Several kinds of memory and gaps in one span, read in windows of all sizes. */
#include "lib/harness.h"
#include "lib/lib.h"

#define SPAN_PAGES	(4 * PMD_PAGES)
#define SWAPPED		560	/* swapped pages in all mappings */

/* The mappings of the span, with gaps between them. */
enum { WHOLE, ANON, VIEW, LATER, COPY, FAR, REGIONS };

static const struct place {
	size_t at, pages, skip;		/* in pages; skip: offset in the file */
	int flags;
	int of;				/* index of the region with the file, or -1 */
} places[REGIONS] = {
	[WHOLE] = { 5, 64, 0, MAP_SHARED, -1 },
	[ANON] = { 72, 5, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1 },
	[VIEW] = { 77, 20, 10, MAP_SHARED, WHOLE },
	[LATER] = { 98, 513, 7, MAP_SHARED, -1 },
	[COPY] = { 700, 33, 120, MAP_PRIVATE, LATER },
	[FAR] = { 3 * PMD_PAGES - 9, 40, 3, MAP_SHARED, WHOLE },
};

FIXTURE(mixed) {
	unsigned char *span;
	struct region r[REGIONS];
	struct source src;
};

static int place_region(struct region *r, unsigned char *span, const struct place *p)
{
	int fd = -1, err;

	if (p->of >= 0)
		fd = r[p->of - (p - places)].fd;
	else if (p->flags == MAP_SHARED)
		fd = memfd_create("xpagemap-test", MFD_CLOEXEC);
	if (p->of < 0 && fd >= 0 && ftruncate(fd, (p->skip + p->pages) * PAGE_BYTES))
		return -errno;
	err = region_map(r, span + p->at * PAGE_BYTES, p->pages,
			 p->flags | MAP_FIXED, fd, p->skip);
	if (p->of >= 0)
		r->id = r[p->of - (p - places)].id;
	return err;
}

FIXTURE_SETUP(mixed)
{
	int i;

	self->span = region_find_aligned(SPAN_PAGES * PAGE_BYTES);
	ASSERT_NE(NULL, self->span);
	for (i = 0; i < REGIONS; i++)
		ASSERT_EQ(0, place_region(&self->r[i], self->span, &places[i]));
	region_fill(&self->r[WHOLE]);
	region_fill(&self->r[ANON]);
	region_fill(&self->r[LATER]);
	ASSERT_EQ(0, region_pageout(&self->r[WHOLE]));
	ASSERT_EQ(0, region_pageout_pages(&self->r[ANON], 0, 3));
	ASSERT_EQ(0, region_pageout_pages(&self->r[LATER], 100, 400));
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(mixed)
{
	EXPECT_EQ(0, source_close(&self->src));
	munmap(self->span, SPAN_PAGES * PAGE_BYTES);
}

TEST_F(mixed, every_mapping_by_itself)
{
	static const size_t located[REGIONS] = { 64, 3, 20, 400, 33, 40 };
	struct survey s;
	int i;

	for (i = 0; i < REGIONS; i++) {
		ASSERT_EQ(0, survey_region(&self->src, &self->r[i], &s));
		EXPECT_EQ(located[i], s.located) {
			survey_print(&s, "mapping");
			TH_LOG("in mapping %d", i);
		}
		EXPECT_EQ(s.due, s.located);
		EXPECT_EQ(0, s.mistaken);
	}
}

static bool in_a_mapping(size_t page)
{
	int i;

	for (i = 0; i < REGIONS; i++)
		if (page >= places[i].at && page < places[i].at + places[i].pages)
			return true;
	return false;
}

TEST_F(mixed, gaps_are_zero)
{
	__u64 entries[SPAN_PAGES];
	size_t i, gaps = 0;

	ASSERT_EQ(SPAN_PAGES, pagemap_read(self->src.fd, self->span, entries,
					   SPAN_PAGES));
	for (i = 0; i < SPAN_PAGES; i++) {
		if (in_a_mapping(i))
			continue;
		gaps++;
		EXPECT_EQ(0, entries[i]) TH_LOG("in the gap at page %zu", i);
	}
	EXPECT_LT(SPAN_PAGES / 2, gaps);
}

/* Reads of any size give each page the same entry. */
TEST_F(mixed, any_window_reads_the_same)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 64, 511, 512, 513, 1000 };
	__u64 whole[SPAN_PAGES], part[1000];
	size_t i, at, len, differing;
	long got;

	ASSERT_EQ(SPAN_PAGES, pagemap_read(self->src.fd, self->span, whole,
					   SPAN_PAGES));
	EXPECT_EQ(SWAPPED, count_entries(self->src.fd, self->span, SPAN_PAGES, PM_SWAP));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		differing = 0;
		for (at = 0; at < SPAN_PAGES; at += sizes[i]) {
			len = sizes[i];
			if (len > SPAN_PAGES - at)
				len = SPAN_PAGES - at;
			got = pagemap_read(self->src.fd, self->span + at * PAGE_BYTES,
					   part, len);
			ASSERT_EQ((long)len, got);
			differing += !!memcmp(part, whole + at, len * PM_ENTRY_BYTES);
		}
		EXPECT_EQ(0, differing) TH_LOG("in windows of %zu entries", sizes[i]);
	}
}

/* Reads of a few pages across the start and end of each mapping. */
TEST_F(mixed, windows_across_each_border)
{
	__u64 whole[SPAN_PAGES], part[3];
	size_t at;
	int i, end;

	ASSERT_EQ(SPAN_PAGES, pagemap_read(self->src.fd, self->span, whole,
					   SPAN_PAGES));
	for (i = 0; i < REGIONS; i++) {
		for (end = 0; end < 2; end++) {
			at = places[i].at + (end ? places[i].pages : 0) - 2;
			ASSERT_EQ(3, pagemap_read(self->src.fd,
						  self->span + at * PAGE_BYTES,
						  part, 3));
			EXPECT_EQ(0, memcmp(part, whole + at, sizeof(part)))
				TH_LOG("at page %zu of the span", at);
		}
	}
}

TEST_HARNESS_MAIN
