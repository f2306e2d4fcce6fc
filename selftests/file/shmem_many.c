// SPDX-License-Identifier: GPL-2.0
/* `shmem` with many files, some of which are deleted or unmounted between two reads. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statfs.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define MANY	200	/* more than some batches */
#define PATH	256

FIXTURE(shmem_many) {
	int fds[MANY];
	struct mounted fs;
	bool seen[MANY];
};

FIXTURE_SETUP(shmem_many)
{
	char name[32];
	size_t i;

	ASSERT_EQ(0, mounted_tmpfs(&self->fs, "size=100m"));
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many-%zu", i);
		self->fds[i] = mounted_file(&self->fs, name, 2);
		ASSERT_LE(0, self->fds[i]);
		ASSERT_EQ(0, file_swap_out(self->fds[i], 2));
	}
}

FIXTURE_TEARDOWN(shmem_many)
{
	size_t i;

	for (i = 0; i < MANY; i++)
		close(self->fds[i]);
	mounted_remove(&self->fs);
}

/* Counts the files of the fixture in a list; false if one is there twice. */
static bool count_seen(const struct shmem_list *list, bool *seen, size_t *count)
{
	unsigned int number;
	size_t i;

	memset(seen, 0, MANY * sizeof(*seen));
	*count = 0;
	for (i = 0; i < list->count; i++) {
		if (sscanf(list->lines[i].name, "/many-%u", &number) != 1 || number >= MANY)
			continue;
		if (seen[number])
			return false;
		seen[number] = true;
		++*count;
	}
	return true;
}

TEST_F(shmem_many, each_once)
{
	struct shmem_list list;
	size_t count;

	ASSERT_EQ(0, shmem_list_read(&list));
	EXPECT_TRUE(count_seen(&list, self->seen, &count));
	EXPECT_EQ(MANY, count);
	shmem_list_free(&list);
}

TEST_F(shmem_many, any_reads_give_the_same)
{
	struct textfile file = { .step = 333, .rounds = 5 };
	size_t len;
	char *text;

	file.fd = open(XPAGEMAP_SHMEM, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, file.fd);
	text = read_to_end(file.fd, 4096, &len);
	ASSERT_NE(NULL, text);
	file.text = text;
	file.len = len;
	EXPECT_TRUE(textfile_same_by_sizes(&file));
	EXPECT_TRUE(textfile_same_from_anywhere(&file));
	free(text);
	close(file.fd);
}

/* Reads the first bytes, calls @change, and reads the rest: whole lines, each file once. */
static void expect_rest(struct __test_metadata *_metadata, int (*change)(int *fds,
									 struct mounted *fs),
			int *fds, struct mounted *fs, bool *seen)
{
	int fd = open(XPAGEMAP_SHMEM, O_RDONLY | O_CLOEXEC);
	static char text[1 << 20];
	struct shmem_list list;
	size_t count, len;
	char *rest;

	ASSERT_LE(0, fd);
	ASSERT_EQ(100, read(fd, text, 100));
	ASSERT_EQ(0, change(fds, fs));
	rest = read_to_end(fd, 4096, &len);
	ASSERT_NE(NULL, rest);
	ASSERT_GT(sizeof(text), len + 101);
	memcpy(text + 100, rest, len + 1);
	free(rest);
	close(fd);
	ASSERT_EQ(0, shmem_list_parse(&list, text)) TH_LOG("%s", text);
	EXPECT_TRUE(count_seen(&list, seen, &count));
	/* Lines read before are there; the other files were deleted. */
	EXPECT_LT(0, count);
	EXPECT_GT(MANY, count);
	shmem_list_free(&list);
	ASSERT_EQ(0, shmem_list_read(&list));
	EXPECT_TRUE(count_seen(&list, seen, &count));
	EXPECT_EQ(0, count);
	shmem_list_free(&list);
}

/* The list that is open keeps no file: all blocks are free again. */
static int delete_all(int *fds, struct mounted *fs)
{
	char path[PATH];
	struct statfs st;
	size_t i;

	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "%s/many-%zu", fs->dir, i);
		if (unlink(path))
			return -errno;
		close(fds[i]);
		fds[i] = -1;
	}
	if (statfs(fs->dir, &st))
		return -errno;
	return st.f_bfree == st.f_blocks ? 0 : -EBUSY;
}

TEST_F(shmem_many, deleted_while_read)
{
	expect_rest(_metadata, delete_all, self->fds, &self->fs, self->seen);
}

/* Not a lazy unmount: nobody keeps the file system busy. */
static int unmount(int *fds, struct mounted *fs)
{
	size_t i;

	for (i = 0; i < MANY; i++) {
		close(fds[i]);
		fds[i] = -1;
	}
	return umount(fs->dir) ? -errno : 0;
}

TEST_F(shmem_many, unmounted_while_read)
{
	expect_rest(_metadata, unmount, self->fds, &self->fs, self->seen);
	rmdir(self->fs.dir);
	self->fs.dir[0] = '\0';
}

TEST_HARNESS_MAIN
