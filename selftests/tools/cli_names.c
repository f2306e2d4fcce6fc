// SPDX-License-Identifier: GPL-2.0
/*
 * The command line where names of files have any bytes: no UTF-8, newlines, quotes, the form of
 * other names. Any user can map such a file; commands that look at all processes must not fail.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		16
#define SWAPPED		10	/* the first of them */
#define LATIN1		"caf\xe9\n\"\\ "
/* The same in JSON, where a byte that is no UTF-8 is U+FFFD. */
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

TEST_HARNESS_MAIN
