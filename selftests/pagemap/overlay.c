// SPDX-License-Identifier: GPL-2.0
/*
 * overlayfs over tmpfs: mmap() maps the underlying file instead of the opened one,
 * and that is shmem.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	300

FIXTURE(overlay) {
	struct mounted tmpfs;
	struct source src;
	char merged[80];
};

static int make_directories(const char *in)
{
	static const char * const names[] = { "lower", "upper", "work", "merged" };
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", in, names[i]);
		if (mkdir(path, 0700))
			return -errno;
	}
	return 0;
}

FIXTURE_SETUP(overlay)
{
	char options[256];
	int fd;

	ASSERT_EQ(0, mounted_tmpfs(&self->tmpfs, "size=64m"));
	ASSERT_EQ(0, make_directories(self->tmpfs.dir));
	fd = mounted_file(&self->tmpfs, "lower/file", PAGES);
	ASSERT_LE(0, fd);
	close(fd);
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 self->tmpfs.dir, self->tmpfs.dir, self->tmpfs.dir);
	snprintf(self->merged, sizeof(self->merged), "%s/merged", self->tmpfs.dir);
	ASSERT_EQ(0, mount("xpagemap-test", self->merged, "overlay", 0, options))
		TH_LOG("%m");
	ASSERT_EQ(0, source_open(&self->src, getpid()));
}

FIXTURE_TEARDOWN(overlay)
{
	EXPECT_EQ(0, source_close(&self->src));
	EXPECT_EQ(0, umount2(self->merged, MNT_DETACH));
	EXPECT_EQ(0, mounted_remove(&self->tmpfs));
}

/* Opens a file of the tmpfs. */
static int open_in(const struct mounted *tmpfs, const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tmpfs->dir, name);
	return open(path, flags | O_CLOEXEC);
}

/*
 * Maps the overlay's file. The region gets the underlying file, since overlayfs has
 * no pages of its own.
 */
static int map_overlay(struct region *r, int overlay, int beneath, int prot, int flags)
{
	void *at = mmap(NULL, PAGES * PAGE_BYTES, prot, flags, overlay, 0);

	if (at == MAP_FAILED)
		return -errno;
	*r = (struct region){ .addr = at, .pages = PAGES, .fd = beneath,
			      .id = pattern_new_id(), .private = flags & MAP_PRIVATE };
	return 0;
}

/* Opening for writing copies the file to the upper layer. */
TEST_F(overlay, file_of_the_upper_layer)
{
	int overlay = open_in(&self->tmpfs, "merged/file", O_RDWR);
	int upper = open_in(&self->tmpfs, "upper/file", O_RDWR);
	struct region r;
	struct survey s;

	ASSERT_LE(0, overlay);
	ASSERT_LE(0, upper);
	ASSERT_EQ(0, map_overlay(&r, overlay, upper, PROT_READ | PROT_WRITE, MAP_SHARED));
	region_fill(&r);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, survey_region(&self->src, &r, &s));
	survey_print(&s, "upper layer");
	EXPECT_EQ(PAGES, s.located);
	EXPECT_EQ(0, s.mistaken);
	EXPECT_EQ(0, filemap_survey(&r));
	/* The overlay's file itself is not shmem. */
	EXPECT_EQ(-EOPNOTSUPP, attach_fd(overlay));
	close(overlay);
	region_free(&r);
}

/* Opened read-only, the lower layer's file is mapped, privately or shared. */
TEST_F(overlay, file_of_the_lower_layer)
{
	static const int flags[] = { MAP_SHARED, MAP_PRIVATE };
	int overlay = open_in(&self->tmpfs, "merged/file", O_RDONLY);
	int lower = open_in(&self->tmpfs, "lower/file", O_RDWR);
	struct region file, r;
	struct survey s;
	size_t i;

	ASSERT_LE(0, overlay);
	ASSERT_LE(0, lower);
	ASSERT_EQ(0, region_map(&file, NULL, PAGES, MAP_SHARED, lower, 0));
	region_fill(&file);
	ASSERT_EQ(0, region_pageout(&file));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_EQ(0, map_overlay(&r, overlay, lower, PROT_READ, flags[i]));
		r.id = file.id;
		ASSERT_EQ(0, survey_region(&self->src, &r, &s));
		EXPECT_EQ(PAGES, s.located);
		EXPECT_EQ(0, s.mistaken) survey_print(&s, "lower layer");
		region_unmap(&r);
	}
	close(overlay);
	region_free(&file);
}

TEST_HARNESS_MAIN
