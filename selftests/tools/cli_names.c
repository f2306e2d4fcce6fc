// SPDX-License-Identifier: GPL-2.0
/*
 * The command line where names of files and processes have any bytes: no UTF-8, newlines, quotes,
 * the form of other names. Any user can map such a file; commands that look at all processes must
 * not fail. Arguments can be such names.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		16
#define SWAPPED		10	/* the first of them */
#define LATIN1		"caf\xe9\n\"\\ "
/* The same in JSON, where a byte that is no UTF-8 is U+FFFD: as it is, and as maps escapes it. */
#define LATIN1_JSON_ARGUMENT	"caf\xef\xbf\xbd\\n\\\"\\\\ "
#define LATIN1_JSON	"caf\xef\xbf\xbd\\\\012\\\"\\\\ "

FIXTURE(cli_names) {
	struct region shared;
	struct cli out;
	char dir[64], path[128];
};

/* Maps a new file of that path, and swaps pages of it out. */
static int map_file(struct region *r, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t i;
	int err;

	if (fd < 0 || ftruncate(fd, PAGES * PAGE_BYTES))
		return -errno;
	err = region_map(r, NULL, PAGES, MAP_SHARED, fd, 0);
	if (err)
		return err;
	for (i = 0; i < SWAPPED; i++)
		region_fill_page(r, i);
	err = region_pageout(r);
	for (; i < PAGES; i++)
		region_fill_page(r, i);
	return err;
}

FIXTURE_SETUP(cli_names)
{
	snprintf(self->dir, sizeof(self->dir), "/tmp/cli_names-%d", getpid());
	snprintf(self->path, sizeof(self->path), "%s/" LATIN1, self->dir);
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	ASSERT_EQ(0, mount("cli_names", self->dir, "tmpfs", 0, NULL));
}

FIXTURE_TEARDOWN(cli_names)
{
	cli_free(&self->out);
	region_free(&self->shared);
	umount2(self->dir, MNT_DETACH);
	rmdir(self->dir);
}

#define RUN(want, ...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, __VA_ARGS__)); \
	EXPECT_EQ(want, self->out.status) TH_LOG("%s", self->out.text); \
})

/* stock: passes: names do not matter there either */
TEST_F(cli_names, summary_and_show)
{
	unsigned long start;

	ASSERT_EQ(0, map_file(&self->shared, self->path));
	start = (unsigned long)self->shared.addr;
	RUN(0, "summary --json %d", getpid());
	EXPECT_EQ(PAGES - SWAPPED, cli_mapping(&self->out, self->shared.addr, "resident"));
	EXPECT_EQ(SWAPPED, cli_mapping(&self->out, self->shared.addr, "swap_shared"));
	EXPECT_TRUE(cli_says(&self->out, "\"name\":\"%s/" LATIN1_JSON "\"", self->dir))
		TH_LOG("%s", self->out.text);
	RUN(0, "show %d %lx-%lx", getpid(), start, start + PAGES * PAGE_BYTES);
	EXPECT_TRUE(cli_says(&self->out, "/caf\xef\xbf\xbd\\012\"\\")) TH_LOG("%s", self->out.text);
	RUN(0, "summary --total --all");
	EXPECT_FALSE(cli_says(&self->out, "not known: some processes"));
}

TEST_F(cli_names, swap_has_an_owner)
{
	struct stat st;

	ASSERT_EQ(0, map_file(&self->shared, self->path));
	ASSERT_EQ(0, fstat(self->shared.fd, &st));
	RUN(0, "swap --json --by file");
	EXPECT_TRUE(cli_says(&self->out, "\"name\":\"/" LATIN1_JSON "\""))
		TH_LOG("%s", self->out.text);
	RUN(0, "plot -o /dev/null %d", getpid());
}

/*
 * Below a mount that is detached, a path begins at the mount's root: a file there can have a name
 * that is like that of a System V segment, and is none.
 */
/* stock: passes: names do not matter there either */
TEST_F(cli_names, not_a_system_v_segment)
{
	snprintf(self->path, sizeof(self->path), "%s/SYSV", self->dir);
	ASSERT_EQ(0, map_file(&self->shared, self->path));
	ASSERT_EQ(0, umount2(self->dir, MNT_DETACH));
	RUN(0, "summary --json %d", getpid());
	EXPECT_TRUE(cli_says(&self->out, "\"name\":\"/SYSV\"")) TH_LOG("%s", self->out.text);
	EXPECT_EQ(SWAPPED, cli_mapping(&self->out, self->shared.addr, "swap_shared"));
}

/* Paths and names as arguments are taken by their bytes. */
TEST_F(cli_names, paths_are_arguments)
{
	const char *path = self->path;
	char output[192];
	struct stat st;

	snprintf(output, sizeof(output), "%s/\xff.out", self->dir);
	ASSERT_EQ(0, map_file(&self->shared, path));
	RUN(0, "file --json '%s'", path);
	EXPECT_EQ(SWAPPED, cli_number(&self->out, "\"totals\"", "swapped"));
	EXPECT_EQ(PAGES - SWAPPED, cli_number(&self->out, "\"totals\"", "cached"));
	EXPECT_TRUE(cli_says(&self->out, "\"file\":\"%s/" LATIN1_JSON_ARGUMENT "\"", self->dir))
		TH_LOG("%s", self->out.text);
	RUN(0, "plot '%s' -o '%s' && cat '%s'", path, output, output);
	EXPECT_TRUE(cli_says(&self->out, "<text")) TH_LOG("%s", self->out.text);
	EXPECT_TRUE(cli_says(&self->out, "swap, shared %d pages<", SWAPPED));
	EXPECT_EQ(0, unlink(output));
	/* Pages that the swap cache still has are left out, which is status 1. */
	RUN(0, "swap read '%s' 0-%lx -o '%s' || true", path, PAGES * PAGE_BYTES, output);
	EXPECT_TRUE(cli_says(&self->out, "%d pages in swap: ", SWAPPED))
		TH_LOG("%s", self->out.text);
	ASSERT_EQ(0, stat(output, &st));
	EXPECT_EQ(PAGES * (off_t)PAGE_BYTES, st.st_size);
	RUN(0, "show --json --pages %d > '%s'", getpid(), output);
	RUN(0, "diff '%s' '%s'", output, output);
	EXPECT_TRUE(cli_says(&self->out, "no page changed")) TH_LOG("%s", self->out.text);
	RUN(0, "metrics %d -o '%s'", getpid(), output);
	RUN(1, "file '%s/no\xe9'", self->dir);
	EXPECT_TRUE(cli_says(&self->out, "cannot open %s/no\xef\xbf\xbd", self->dir))
		TH_LOG("%s", self->out.text);
	RUN(1, "summary --cgroup '/no\xe9'");
	RUN(2, "'\xe9'");
}

/* A name of at most 15 bytes, by its bytes and as it is printed. */
TEST_F(cli_names, processes_by_name)
{
	char name[32];

	ASSERT_EQ(0, map_file(&self->shared, self->path));
	snprintf(name, sizeof(name), "\xe9\n%d", getpid());
	ASSERT_EQ(0, prctl(PR_SET_NAME, name));
	RUN(0, "summary --json '%s'", name);
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	EXPECT_EQ(SWAPPED, cli_mapping(&self->out, self->shared.addr, "swap_shared"));
	RUN(0, "show --json '%s'", name);
	RUN(0, "check '%s'", name);
	RUN(0, "diff --json -s 0 '%s'", name);
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	RUN(0, "trace --json -s 0 '%s'", name);
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	RUN(1, "watch '%s'", name);
	EXPECT_TRUE(cli_says(&self->out, "needs a terminal"));
	RUN(0, "explain --json '%s' %lx", name, (unsigned long)self->shared.addr);
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	RUN(0, "explain --json '\xef\xbf\xbd?%d' %lx", getpid(), (unsigned long)self->shared.addr);
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	RUN(1, "summary '\xea\n%d'", getpid());
	EXPECT_TRUE(cli_says(&self->out, "there is no process named"));
}

FIXTURE(cli_names_swap) {
	struct region region;
	struct cli out;
	char path[64];
};

FIXTURE_SETUP(cli_names_swap)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	struct stat st;

	TEARDOWN_FROM_HERE();
	/* A space, too, which /proc/swaps escapes. */
	snprintf(self->path, sizeof(self->path), "/dev/cli_names-%d" LATIN1, getpid());
	ASSERT_EQ(0, stat(disk, &st));
	ASSERT_EQ(0, mknod(self->path, S_IFBLK | 0600, st.st_rdev));
	ASSERT_EQ(0, swapoff(disk));
	ASSERT_EQ(0, swapon(self->path, 0));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_names_swap)
{
	EXPECT_EQ(0, swapdev_restart());
	unlink(self->path);
}

TEST_F(cli_names_swap, devices_by_path)
{
	const char *path = self->path;
	char output[96];
	__u64 entry;
	int fd;

	ASSERT_EQ(0, region_map_filled(&self->region, PAGES));
	ASSERT_EQ(0, region_pageout(&self->region));
	fd = proc_pagemap_open(getpid());
	ASSERT_EQ(1, pagemap_read(fd, self->region.addr, &entry, 1));
	close(fd);
	ASSERT_TRUE(entry & PM_SWAP);
	RUN(0, "swap --json --device '%s'", path);
	EXPECT_EQ(swaps_used(NULL), cli_number(&self->out, "\"devices\"", "used"))
		TH_LOG("%s", self->out.text);
	RUN(0, "swap map --json '%s'", path);
	EXPECT_TRUE(cli_says(&self->out, LATIN1_JSON_ARGUMENT)) TH_LOG("%s", self->out.text);
	RUN(0, "swap owner --json '%s' %llu", path, pm_swap_offset(entry));
	EXPECT_EQ(getpid(), cli_number(&self->out, NULL, "pid"));
	/* The device is opened by its path; pages that the swap cache still has are left out. */
	snprintf(output, sizeof(output), "/run/cli_names-%d.out", getpid());
	RUN(0, "swap read %d %lx-%lx -o %s || true", getpid(), (unsigned long)self->region.addr,
	    (unsigned long)region_page(&self->region, PAGES), output);
	EXPECT_TRUE(cli_says(&self->out, "%d pages in swap: ", PAGES))
		TH_LOG("%s", self->out.text);
	unlink(output);
	cli_free(&self->out);
	region_free(&self->region);
}

TEST_HARNESS_MAIN
