// SPDX-License-Identifier: GPL-2.0
/*
 * `shmem` is read and its files are attached while files come, go to swap and are deleted.
 * A file that is there all the time is in every list, once.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/swap.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define STAYING		150	/* files that stay: more than two batches */
#define PAGES		8
#define SLOTS		4000

FIXTURE(shmem_list_storm) {
	struct cgroup cg;
	struct mounted fs;
	int fds[STAYING];
	int device;
	char path[SWAPDEV_PATH];
};

FIXTURE_SETUP(shmem_list_storm)
{
	char name[32];
	size_t i;

	TEARDOWN_FROM_HERE();
	self->device = swapdev_loop(SLOTS, self->path);
	ASSERT_LE(0, self->device);
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, mounted_tmpfs(&self->fs, "size=200m"));
	for (i = 0; i < STAYING; i++) {
		snprintf(name, sizeof(name), "stay-%zu", i);
		self->fds[i] = mounted_file(&self->fs, name, 1);
		ASSERT_LE(0, self->fds[i]);
		ASSERT_EQ(0, file_swap_out(self->fds[i], 1));
	}
}

FIXTURE_TEARDOWN_PARENT(shmem_list_storm)
{
	EXPECT_EQ(0, swapdev_remove_all());
	EXPECT_EQ(0, mounted_remove(&self->fs));
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
}

/* The files that stay are on the disk, the others on this device, until it is removed. */
static int swap_off(struct storm_thread *t)
{
	const char *path = t->arg;
	int err = swapdev_on(path, SLOTS);

	if (err)
		return err;
	usleep(50000);
	return swapoff(path) ? -errno : 0;
}

/* Makes a file, pages it out, and deletes it; one in four with its file system. */
static int come_and_go(struct storm_thread *t)
{
	struct mounted fs = {};
	char path[128];
	int fd, err = 0;

	if (random_below(4)) {
		fd = memfd_create("comes", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, PAGES * PAGE_BYTES))
			return -errno;
	} else {
		err = mounted_tmpfs(&fs, "size=1m");
		if (err)
			return err;
		fd = mounted_file(&fs, "comes", PAGES);
		if (fd < 0)
			return fd;
	}
	err = file_swap_out(fd, PAGES);
	if (err > 0)
		err = 0;
	if (fs.dir[0] && random_below(2)) {
		snprintf(path, sizeof(path), "%s/comes", fs.dir);
		if (unlink(path))
			err = -errno;
	}
	close(fd);
	if (fs.dir[0] && umount(fs.dir) && !err)
		err = -errno;
	if (fs.dir[0])
		rmdir(fs.dir);
	(void)t;
	return err;
}

static int check_list(const struct shmem_list *list)
{
	bool seen[STAYING] = {};
	size_t i, count = 0;
	unsigned int number;

	for (i = 0; i < list->count; i++) {
		if (sscanf(list->lines[i].name, "/stay-%u", &number) != 1 ||
		    number >= STAYING)
			continue;
		if (seen[number])
			return -EEXIST;
		seen[number] = true;
		count++;
	}
	return count == STAYING ? 0 : -ENOENT;
}

static int read_list(struct storm_thread *t)
{
	struct shmem_list list;
	int err = shmem_list_read(&list);

	(void)t;
	if (err)
		return err;
	err = check_list(&list);
	shmem_list_free(&list);
	return err;
}

/* Reads what the directory of an attached file shows. */
static int read_views(const char *id)
{
	static const char * const keys[] = { "pages", "swapped" };
	long long value;
	size_t i, len;
	char *text;
	int fd;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		value = file_summary(id, keys[i]);
		if (value < 0)
			return value;
	}
	fd = swapmap_open_file(id);
	if (fd < 0)
		return fd;
	text = read_to_end(fd, 4096, &len);
	close(fd);
	if (!text)
		return -errno;
	i = listing_check(text, 1) < 0;
	free(text);
	return i ? -EPROTO : 0;
}

static int attach_one(struct storm_thread *t)
{
	struct shmem_list list;
	int err = shmem_list_read(&list), detached;
	char id[FILE_ID];

	(void)t;
	if (err)
		return err;
	snprintf(id, sizeof(id), "%s", list.lines[random_below(list.count)].id);
	shmem_list_free(&list);
	err = attach_file(id);
	/* It was deleted; another has its number now; the other thread has it. */
	if (err == -ENOENT || err == -EINVAL || err == -EEXIST)
		return 0;
	if (err)
		return err;
	err = read_views(id);
	if (err)
		ksft_print_msg("%s: cannot be read: %s\n", id, strerror(-err));
	detached = detach_fd(id);
	if (detached)
		ksft_print_msg("%s: cannot be detached: %s\n", id, strerror(-detached));
	return detached ?: err;
}

TEST_F_TIMEOUT(shmem_list_storm, lists_and_attached_files, STORM_TIMEOUT)
{
	struct storm s = {};

	storm_add(&s, "come and go", come_and_go, 0, self);
	storm_add(&s, "come and go", come_and_go, 1, self);
	storm_add(&s, "read list", read_list, 0, self);
	storm_add(&s, "attach", attach_one, 0, self);
	storm_add(&s, "attach", attach_one, 1, self);
	storm_add(&s, "swapoff", swap_off, 0, self->path);
	EXPECT_EQ(0, storm_run(&s));
}

TEST_HARNESS_MAIN
