// SPDX-License-Identifier: GPL-2.0
/*
 * The balance sheet of `xpagemap swap` comes out even: memory of every kind on two devices,
 * to the slot as /proc/swaps has it, memory.swap.current of the cgroup, and SHM_INFO.
 */
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>

#include "lib/harness.h"
#include "lib/lib.h"

/* Pages. At most 512 go to the disk before the second device is used, see swapdev.h. */
#define SHARED		400	/* swapped out before the fork */
#define ALONE		300	/* after it */
#define MEMFD		350	/* nobody maps it */
#define TMPFS		120	/* unlinked, nobody maps it */
#define SYSV		90	/* without attachment */
#define VIEWED		200	/* mapped privately, the first pages COWed: */
#define COWED		70
#define HUGE		PMD_PAGES
#define FILES		(MEMFD + TMPFS + SYSV + VIEWED)
#define ALL		(SHARED + ALONE + COWED + HUGE + FILES)
#define READ_BACK	20
#define SLOTS		1100

#define ZSWAP		"/sys/module/zswap/parameters/enabled"
#define TRIES		200
#define PAUSE_US	100000

FIXTURE(cli_swap_balance) {
	struct cgroup cg;
	struct setting cluster, zswap;
	struct region shared, alone, viewed, view, huge;
	struct mounted mounted;
	struct child child;
	struct cli out;
	int memfd, tmpfs, sysv;
	long long shm_before;	/* pages of all segments in swap */
	char path[SWAPDEV_PATH];
};

FIXTURE_VARIANT(cli_swap_balance) {
	int (*make)(size_t pages, char *path);
	const char *zswap;
};

FIXTURE_VARIANT_ADD(cli_swap_balance, loop) {
	.make = swapdev_loop,
	.zswap = "N",
};

FIXTURE_VARIANT_ADD(cli_swap_balance, zswap) {
	.make = swapdev_loop,
	.zswap = "Y",
};

FIXTURE_VARIANT_ADD(cli_swap_balance, zram) {
	.make = swapdev_zram,
	.zswap = "N",
};

/* Pages of all System V segments in swap, or a negative errno. */
static long long shm_swapped(void)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0 ? -errno : (long long)info.shm_swp;
}

static int sysv_swapped(size_t pages, int *id)
{
	struct region r = { .pages = pages, .fd = -1 };
	int err;

	*id = shmget(IPC_PRIVATE, pages * PAGE_BYTES, IPC_CREAT | 0600);
	if (*id < 0)
		return -errno;
	r.addr = shmat(*id, NULL, 0);
	if (r.addr == MAP_FAILED)
		return -errno;
	region_fill(&r);
	err = region_pageout(&r);
	shmdt(r.addr);
	return err;
}

FIXTURE_SETUP(cli_swap_balance)
{
	char unlinked[128];
	int fd;

	TEARDOWN_FROM_HERE();
	self->sysv = -1;
	/* No readahead: only touched pages are swapped in. */
	ASSERT_EQ(0, setting_change(&self->cluster, "/proc/sys/vm/page-cluster", "0"));
	ASSERT_EQ(0, setting_change(&self->zswap, ZSWAP, variant->zswap));
	fd = variant->make(SLOTS, self->path);
	ASSERT_LE(0, fd) TH_LOG("%s", strerror(-fd));
	ASSERT_EQ(0, swapdev_on(self->path, SLOTS));
	if (fd > 0)
		close(fd);
	ASSERT_EQ(0, cgroup_create(&self->cg));
	ASSERT_EQ(0, cgroup_enter(&self->cg));
	self->shm_before = shm_swapped();
	ASSERT_EQ(0, region_map_filled(&self->shared, SHARED));
	ASSERT_EQ(0, region_pageout(&self->shared));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, region_map_filled(&self->alone, ALONE));
	ASSERT_EQ(0, region_pageout(&self->alone));
	self->memfd = memfd_create("nobody", 0);
	ASSERT_EQ(0, ftruncate(self->memfd, MEMFD * PAGE_BYTES));
	ASSERT_EQ(0, file_swap_out(self->memfd, MEMFD));
	ASSERT_EQ(0, mounted_tmpfs(&self->mounted, "size=100m"));
	self->tmpfs = mounted_file(&self->mounted, "unlinked", TMPFS);
	ASSERT_LE(0, self->tmpfs);
	snprintf(unlinked, sizeof(unlinked), "%s/unlinked", self->mounted.dir);
	ASSERT_EQ(0, unlink(unlinked));
	ASSERT_EQ(0, file_swap_out(self->tmpfs, TMPFS));
	ASSERT_EQ(0, sysv_swapped(SYSV, &self->sysv));
	ASSERT_EQ(0, region_map_memfd(&self->viewed, VIEWED));
	region_fill(&self->viewed);
	ASSERT_EQ(0, region_map_view(&self->view, &self->viewed, 0, COWED, MAP_PRIVATE));
	region_fill(&self->view);
	ASSERT_EQ(0, region_pageout(&self->view));
	ASSERT_EQ(0, region_pageout(&self->viewed));
	ASSERT_EQ(0, thp_map(&self->huge, 1));
	ASSERT_EQ(0, region_pageout(&self->huge));
}

/* Runs in the parent, so that it runs however the test ends. */
FIXTURE_TEARDOWN_PARENT(cli_swap_balance)
{
	if (self->sysv >= 0)
		shmctl(self->sysv, IPC_RMID, NULL);
	mounted_remove(&self->mounted);
	EXPECT_EQ(0, swapdev_remove_all());
	EXPECT_EQ(0, cgroup_destroy(&self->cg));
	EXPECT_EQ(0, setting_restore(&self->zswap));
	EXPECT_EQ(0, setting_restore(&self->cluster));
}

/* Used slots of a device, or of all, by /proc/swaps. */
static long long slots_used(const char *path)
{
	char text[4096], name[SWAPDEV_PATH], *line, *rest;
	long long used = 0, kib;

	if (read_text("/proc/swaps", text, sizeof(text)) < 0)
		return -1;
	strtok_r(text, "\n", &rest);
	while ((line = strtok_r(NULL, "\n", &rest))) {
		if (sscanf(line, "%63s %*s %*s %lld", name, &kib) != 2)
			return -1;
		if (!path || !strcmp(path, name))
			used += kib * 1024 / PAGE_BYTES;
	}
	return used;
}

static void device_key(const char *path, char *key, size_t size)
{
	snprintf(key, size, "\"path\":\"%s\"", path);
}

/* A device's used slots that the sheet has an owner for. */
static long long explained(const struct cli *out, const char *path)
{
	char key[SWAPDEV_PATH + 16];

	device_key(path, key, sizeof(key));
	return cli_number(out, key, "anonymous") + cli_number(out, key, "shared") +
	       cli_number(out, key, "files") + cli_number(out, key, "cached");
}

/*
 * Runs it until nothing was swapped meanwhile and both devices are explained: processes that
 * have just ended can leave pages in the swap cache until reclaim. False if that never is.
 */
static bool sheet(struct cli *out, const char *second, const char *options)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	long long used;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		cli_free(out);
		used = slots_used(NULL);
		if (cli_run(out, "swap --json %s", options) || out->status)
			return false;
		if (used == slots_used(NULL) && !cli_number(out, NULL, "moved") &&
		    explained(out, disk) == slots_used(disk) &&
		    explained(out, second) == slots_used(second))
			return true;
		usleep(PAUSE_US);
	}
	return false;
}

/* Slots of an open file, by the sheet. */
static long long file_slots(const struct cli *out, int fd)
{
	char key[64];
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	snprintf(key, sizeof(key), "\"id\":\"%u:%u:%lu\"", major(st.st_dev), minor(st.st_dev),
		 st.st_ino);
	return cli_number(out, key, "alone");
}

static long long sysv_slots(const struct cli *out, int id)
{
	char key[64];

	/* The inode's number is the segment's; its name has the key, 0. */
	snprintf(key, sizeof(key), ":%d\",\"name\":\"/SYSV00000000 (deleted)\"", id);
	return cli_number(out, key, "alone");
}

/* Number of entries with swap type @type; -1: any. */
static long slots_of_type(const struct region *r, int type)
{
	int fd = proc_pagemap_open(getpid());
	__u64 entry;
	long count = 0;
	size_t i;

	for (i = 0; i < r->pages; i++)
		if (pagemap_read(fd, region_page(r, i), &entry, 1) == 1 &&
		    (entry & PM_SWAP) && (type < 0 || (int)pm_swap_type(entry) == type))
			count++;
	close(fd);
	return count;
}

TEST_F(cli_swap_balance, every_slot_has_its_owner)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	char key[SWAPDEV_PATH + 16], process[64];
	long long current, own;

	ASSERT_TRUE(sheet(&self->out, self->path, "")) TH_LOG("%s", self->out.text);
	EXPECT_LT(0, slots_used(self->path));
	device_key(disk, key, sizeof(key));
	EXPECT_EQ(0, cli_number(&self->out, key, "unexplained"));
	EXPECT_EQ(slots_used(disk), cli_number(&self->out, key, "used"));
	device_key(self->path, key, sizeof(key));
	EXPECT_EQ(0, cli_number(&self->out, key, "unexplained"));
	EXPECT_EQ(slots_used(self->path), cli_number(&self->out, key, "used"));

	EXPECT_EQ(MEMFD, file_slots(&self->out, self->memfd));
	EXPECT_EQ(TMPFS, file_slots(&self->out, self->tmpfs));
	EXPECT_EQ(VIEWED, file_slots(&self->out, self->viewed.fd));
	EXPECT_EQ(SYSV, sysv_slots(&self->out, self->sysv));
	EXPECT_EQ(SYSV, shm_swapped() - self->shm_before);
	snprintf(process, sizeof(process), "\"pid\":%d,", getpid());
	EXPECT_EQ(SHARED, cli_number(&self->out, process, "shared"));
	own = cli_number(&self->out, process, "alone") + cli_number(&self->out, process, "shared") +
	      cli_number(&self->out, process, "cached");
	EXPECT_EQ(ALL - FILES, own);

	/* The kernel's own count of the cgroup, which has this process, its child and the files. */
	current = cgroup_value(&self->cg, "memory.swap.current") / (long long)PAGE_BYTES;
	EXPECT_EQ(ALL, current);
	ASSERT_TRUE(sheet(&self->out, self->path, "--by cgroup"));
	snprintf(key, sizeof(key), "\"name\":\"%s\"", self->cg.path + strlen("/sys/fs/cgroup"));
	EXPECT_EQ(current, cli_number(&self->out, key, "current"));
	EXPECT_EQ(ALL - MEMFD - TMPFS - SYSV, cli_number(&self->out, key, "pswap"))
		TH_LOG("%s", self->out.text);
}

/* A page that was read and not written keeps its slot, but for devices as fast as memory. */
TEST_F(cli_swap_balance, pages_read_back_keep_their_slots)
{
	long long used = slots_used(NULL), cached;
	volatile unsigned char *page;
	char process[64];
	int i;

	for (i = 0; i < READ_BACK; i++) {
		page = region_page(&self->alone, i);
		(void)*page;
	}
	cached = READ_BACK - (used - slots_used(NULL));
	if (variant->make == swapdev_loop)
		EXPECT_EQ(READ_BACK, cached);
	ASSERT_TRUE(sheet(&self->out, self->path, "")) TH_LOG("%s", self->out.text);
	snprintf(process, sizeof(process), "\"pid\":%d,", getpid());
	EXPECT_EQ(cached, cli_number(&self->out, process, "cached"));
	EXPECT_EQ(ALL - FILES - SHARED - READ_BACK,
		  cli_number(&self->out, process, "alone"));
}

/* Types have a gap after swapoff: /proc/swaps leaves the device out. */
TEST_F(cli_swap_balance, devices_keep_their_types)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	char path[SWAPDEV_PATH], key[SWAPDEV_PATH + 16];
	struct region r;
	int fd;

	fd = swapdev_loop(SLOTS, path);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, swapdev_on(path, SLOTS));
	close(fd);
	ASSERT_EQ(0, swapoff(self->path)) TH_LOG("%m");
	ASSERT_EQ(0, region_map_filled(&r, SLOTS));
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_LT(0, slots_of_type(&r, 2));
	ASSERT_TRUE(sheet(&self->out, path, "")) TH_LOG("%s", self->out.text);
	EXPECT_TRUE(cli_says(&self->out, "{\"type\":2,\"path\":\"%s\"", path));
	EXPECT_TRUE(cli_says(&self->out, "{\"type\":0,\"path\":\"%s\"", disk));

	/* That device alone. */
	cli_free(&self->out);
	ASSERT_EQ(0, cli_run(&self->out, "swap --json --by process --device %s", path));
	EXPECT_EQ(0, self->out.status);
	EXPECT_FALSE(cli_says(&self->out, "\"path\":\"%s\"", disk));
	EXPECT_FALSE(cli_says(&self->out, "\"kind\":\"file\""));
	snprintf(key, sizeof(key), "\"pid\":%d,", getpid());
	EXPECT_EQ(slots_of_type(&r, 2) + slots_of_type(&self->alone, 2) +
		  slots_of_type(&self->view, 2) + slots_of_type(&self->huge, 2),
		  cli_number(&self->out, key, "alone"));
	region_free(&r);
}

TEST_HARNESS_MAIN
