// SPDX-License-Identifier: GPL-2.0
/*
 * The balance sheet of `xpagemap swap` comes out even: memory of every kind on two devices,
 * to the slot as /proc/swaps has it, memory.swap.current of the cgroup, and SHM_INFO.
 */
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
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
#define ORDER_PAGES	16	/* of 64 KiB */
#define LARGE		(10 * ORDER_PAGES)
#define FILES		(MEMFD + TMPFS + SYSV + VIEWED)
#define ALL		(SHARED + ALONE + COWED + HUGE + LARGE + FILES)
#define SLOTS		1100

#define ZSWAP		"/sys/module/zswap/parameters/enabled"
#define THP		"/sys/kernel/mm/transparent_hugepage/"

FIXTURE(cli_swap_balance) {
	struct cgroup cg;
	struct setting zswap;
	struct region shared, alone, viewed, view, huge, large;
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

/* Pages of 64 KiB folios, swapped out. Returns the number of pages left, or a negative errno. */
static long map_large(struct region *r)
{
	struct setting order = {}, whole = {};
	void *at = region_find_aligned(LARGE * PAGE_BYTES);
	struct exclusive ex;
	long err = -ENOMEM;

	if (!at || setting_change(&order, THP "hugepages-64kB/enabled", "always") ||
	    setting_change(&whole, THP "hugepages-2048kB/enabled", "never"))
		goto out;
	err = region_map(r, at, LARGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (err)
		goto out;
	region_fill(r);
	err = exclusive_open(&ex, getpid());
	if (err)
		goto out;
	if (exclusive_count(&ex, r->addr, LARGE, EX_LARGE, EX_LARGE) != LARGE)
		err = -ENODATA;
	exclusive_close(&ex);
	if (!err)
		err = region_pageout(r);
out:
	setting_restore(&whole);
	setting_restore(&order);
	return err;
}

FIXTURE_SETUP(cli_swap_balance)
{
	char unlinked[128];
	int fd;

	TEARDOWN_FROM_HERE();
	self->sysv = -1;
	ASSERT_EQ(0, setting_change(&self->zswap, ZSWAP, variant->zswap));
	ASSERT_EQ(0, swapdev_restart());
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
	ASSERT_EQ(0, map_large(&self->large));
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

TEST_F(cli_swap_balance, every_slot_has_its_owner)
{
	const char *disk = getenv("XPAGEMAP_SWAPDEV");
	char key[256], process[64];
	long long current, own;

	ASSERT_TRUE(sheet_settled(&self->out, self->path, "")) TH_LOG("%s", self->out.text);
	EXPECT_LT(0, swaps_used(self->path));
	EXPECT_EQ(0, sheet_number(&self->out, disk, "unexplained"));
	EXPECT_EQ(swaps_used(disk), sheet_number(&self->out, disk, "used"));
	EXPECT_EQ(0, sheet_number(&self->out, self->path, "unexplained"));
	EXPECT_EQ(swaps_used(self->path), sheet_number(&self->out, self->path, "used"));

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
	ASSERT_TRUE(sheet_settled(&self->out, self->path, "--by cgroup"));
	snprintf(key, sizeof(key), "\"name\":\"%s\"", self->cg.path + strlen("/sys/fs/cgroup"));
	EXPECT_EQ(current, cli_number(&self->out, key, "current"));
	EXPECT_EQ(ALL - MEMFD - TMPFS - SYSV, cli_number(&self->out, key, "pswap"))
		TH_LOG("%s", self->out.text);
}

TEST_HARNESS_MAIN
