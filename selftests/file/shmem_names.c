// SPDX-License-Identifier: GPL-2.0
/*
 * Names in `shmem`: those of other mount namespaces, and longer than any path that can be
 * opened.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES	40
#define PATH	256
#define LEVEL	201	/* bytes of a directory in a path */
#define LEVELS	640
#define DEEP	40
#define TRIES	100
#define PAUSE_US	100000

FIXTURE(shmem_names) {
	struct mounted fs;
};

FIXTURE_SETUP(shmem_names)
{
	ASSERT_EQ(0, mounted_tmpfs(&self->fs, "size=100m"));
}

/* Nobody keeps it busy, and nothing of it stays in the list. */
FIXTURE_TEARDOWN(shmem_names)
{
	struct shmem_list list;
	size_t i;

	ASSERT_EQ(0, umount(self->fs.dir)) TH_LOG("%m");
	EXPECT_EQ(0, rmdir(self->fs.dir));
	ASSERT_EQ(0, shmem_list_read(&list));
	for (i = 0; i < list.count; i++)
		EXPECT_EQ(NULL, strstr(list.lines[i].name, "/xxxx"));
	shmem_list_free(&list);
}

/* In a mount namespace of its own, has a file in swap until it is told. */
static int hide_file(struct child *c, void *arg)
{
	int fd;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("hidden", arg, "tmpfs", 0, NULL) || chdir(arg))
		return 1;
	fd = open("hidden file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, PAGES * PAGE_BYTES) || file_swap_out(fd, PAGES))
		return 1;
	return !child_ask(c);
}

TEST_F(shmem_names, another_mount_namespace)
{
	char dir[] = "/run/hidden-XXXXXX", path[PATH];
	struct shmem_line line;
	struct child c;
	int tries;

	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, child_start(&c, hide_file, dir));
	EXPECT_TRUE(child_hear(&c));
	snprintf(path, sizeof(path), "%s/hidden file", dir);
	EXPECT_EQ(-1, access(path, F_OK));
	EXPECT_EQ(0, shmem_line_named("/hidden file", &line));
	EXPECT_EQ(PAGES, line.swapped);
	EXPECT_EQ(1, line.links);
	EXPECT_TRUE(child_tell(&c));
	EXPECT_TRUE(child_ended_well(&c));
	EXPECT_EQ(0, rmdir(dir));
	/* The file system goes with the namespace, in a moment. */
	for (tries = 0; tries < TRIES && !shmem_line_named("/hidden file", &line); tries++)
		usleep(PAUSE_US);
	EXPECT_EQ(-ENOENT, shmem_line_named("/hidden file", &line));
}

/* Makes as many directories, each in the last one. Returns a descriptor of the innermost. */
static int make_directories(const struct mounted *m, size_t levels)
{
	int at = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	char name[LEVEL];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	while (at >= 0 && levels--) {
		next = mkdirat(at, name, 0755) ? -1 :
		       openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	return at;
}

static void swap_out_at(struct __test_metadata *_metadata, int at, const char *name)
{
	int fd = openat(at, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE_BYTES));
	ASSERT_EQ(0, file_swap_out(fd, 1));
	close(fd);
}

/* The list, as text: such names do not fit a line of the parser. */
static char *list_text(size_t *len)
{
	int fd = open(XPAGEMAP_SHMEM, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_to_end(fd, 1 << 16, len);

	close(fd);
	return text;
}

/* Longer than any path that can be opened. */
TEST_F(shmem_names, long_path)
{
	char *text, *line;
	size_t len;
	int at;

	at = make_directories(&self->fs, 30);
	ASSERT_LE(0, at);
	swap_out_at(_metadata, at, "deep");
	close(at);
	text = list_text(&len);
	ASSERT_NE(NULL, text);
	line = strstr(text, "/xxxx");
	ASSERT_NE(NULL, line);
	EXPECT_EQ(30 * LEVEL + 5, strcspn(line, "\n"));
	EXPECT_EQ(0, strncmp(line + 30 * LEVEL, "/deep\n", 6));
	free(text);
}

/* Names that are together longer than what kmalloc() allocates: 4 MiB. */
TEST_F(shmem_names, many_long_paths)
{
	char name[16], *text, *line;
	size_t i, len, found = 0;
	int at;

	at = make_directories(&self->fs, LEVELS);
	ASSERT_LE(0, at);
	for (i = 0; i < DEEP; i++) {
		snprintf(name, sizeof(name), "deep-%02zu", i);
		swap_out_at(_metadata, at, name);
	}
	close(at);
	text = list_text(&len);
	ASSERT_NE(NULL, text) TH_LOG("%m");
	EXPECT_LT(4UL << 20, len);
	for (line = text; (line = strstr(line, "/deep-")); line += 9)
		found += line[8] == '\n' && line - text > (long)(LEVELS * LEVEL) &&
			 !strncmp(line - LEVELS * LEVEL, "/xxxx", 5);
	EXPECT_EQ(DEEP, found);
	free(text);
}

TEST_HARNESS_MAIN
