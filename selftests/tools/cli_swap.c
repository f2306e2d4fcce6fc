// SPDX-License-Identifier: GPL-2.0
/*
 * `xpagemap swap` on memory of known owners: a process's own, shared by fork, a memfd that is
 * mapped, and one that nobody maps. Numbers are compared with /proc/swaps, cachestat(2) and
 * /proc/PID/pagemap.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define SHARED		96	/* pages, swapped out before the fork */
#define ALONE		160	/* after it */
#define MAPPED		200
#define UNMAPPED	128

FIXTURE(cli_swap) {
	struct region shared, alone, mapped, unmapped;
	struct child child;
	struct cli out;
	struct control_state before;
	char process[64];	/* beginning of the JSON of this process */
};

FIXTURE_SETUP(cli_swap)
{
	self->before = control_state_now();
	ASSERT_EQ(0, region_map_filled(&self->shared, SHARED));
	ASSERT_EQ(0, region_pageout(&self->shared));
	ASSERT_EQ(0, child_start_idle(&self->child));
	ASSERT_EQ(0, region_map_filled(&self->alone, ALONE));
	ASSERT_EQ(0, region_pageout(&self->alone));
	ASSERT_EQ(0, region_map_memfd(&self->mapped, MAPPED));
	region_fill(&self->mapped);
	ASSERT_EQ(0, region_pageout(&self->mapped));
	ASSERT_EQ(0, region_map_memfd(&self->unmapped, UNMAPPED));
	region_fill(&self->unmapped);
	ASSERT_EQ(0, region_pageout(&self->unmapped));
	ASSERT_EQ(MAPPED, region_count(&self->mapped, PAGE_SWAPPED));
	ASSERT_EQ(UNMAPPED, region_count(&self->unmapped, PAGE_SWAPPED));
	region_unmap(&self->unmapped);
	snprintf(self->process, sizeof(self->process), "\"pid\":%d,", getpid());
}

FIXTURE_TEARDOWN(cli_swap)
{
	cli_free(&self->out);
	child_kill(&self->child);
	region_free(&self->mapped);
	if (!source_is_proc())
		EXPECT_TRUE(control_unchanged(self->before));
}

/* The beginning of the JSON of a memfd. */
static int file_key(int fd, char *id, size_t size)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	snprintf(id, size, "\"id\":\"%u:%u:%lu\"", major(st.st_dev), minor(st.st_dev), st.st_ino);
	return 0;
}

#define SWAP(...) ({ \
	cli_free(&self->out); \
	ASSERT_EQ(0, cli_run(&self->out, "swap " __VA_ARGS__)); \
	EXPECT_EQ(0, self->out.status) TH_LOG("%s", self->out.text); \
})

TEST_F(cli_swap, slots_shared_by_fork_are_counted_once)
{
	SWAP("--json");
	EXPECT_TRUE(cli_says(&self->out, "\"schema\":\"xpagemap.swap/1\""));
	EXPECT_EQ(ALONE, cli_number(&self->out, self->process, "alone"));
	EXPECT_EQ(SHARED, cli_number(&self->out, self->process, "shared"));
	EXPECT_EQ(ALONE + SHARED / 2, cli_number(&self->out, self->process, "pswap"));
	/* Other processes share slots too. Slots counted twice break the sum, see below. */
	EXPECT_LE(SHARED, cli_number(&self->out, "\"devices\"", "shared"));
	child_kill(&self->child);
	SWAP("--json");
	EXPECT_EQ(ALONE + SHARED, cli_number(&self->out, self->process, "alone"));
}

TEST_F(cli_swap, files_have_their_slots)
{
	bool lists = !access(XPAGEMAP_DIR "/shmem", F_OK);
	char id[64];

	SWAP("--json");
	ASSERT_EQ(0, file_key(self->mapped.fd, id, sizeof(id)));
	EXPECT_EQ(MAPPED, cli_number(&self->out, id, "alone"));
	EXPECT_TRUE(cli_says(&self->out, "\"mapped_by\":[%d", getpid()));
	ASSERT_EQ(0, file_key(self->unmapped.fd, id, sizeof(id)));
	EXPECT_EQ(lists ? UNMAPPED : -ENOENT, cli_number(&self->out, id, "alone"));
	EXPECT_EQ(!lists, cli_says(&self->out, "shared memory that nobody maps"));
	/* None has read a page back. */
	EXPECT_EQ(MAPPED, region_count(&self->mapped, PAGE_SWAPPED));
}

TEST_F(cli_swap, sum_is_that_of_proc_swaps)
{
	bool lists = !access(XPAGEMAP_DIR "/shmem", F_OK);
	long long unexplained, explained, cached, used;
	size_t tries;

	/* Other processes may swap meanwhile. */
	for (tries = 0; tries < 20; tries++) {
		used = swaps_used(NULL);
		SWAP("--json");
		if (used == swaps_used(NULL))
			break;
	}
	EXPECT_EQ(used, cli_number(&self->out, "\"devices\"", "used"));
	unexplained = cli_number(&self->out, "\"devices\"", "unexplained");
	explained = cli_number(&self->out, "\"devices\"", "anonymous") +
		    cli_number(&self->out, "\"devices\"", "shared") +
		    cli_number(&self->out, "\"devices\"", "files") +
		    cli_number(&self->out, "\"devices\"", "cached") +
		    cli_number(&self->out, "\"devices\"", "swap_cache") +
		    cli_number(&self->out, "\"devices\"", "transient");
	EXPECT_EQ(used, explained + unexplained);
	/* A page that was read back can keep its slot, which only the swap cache knows. */
	cached = read_value("/proc/meminfo", "SwapCached") * 1024 / PAGE_BYTES;
	EXPECT_LE(lists ? 0 : UNMAPPED, unexplained);
	EXPECT_GE((lists ? 0 : UNMAPPED) + cached, unexplained) TH_LOG("%s", self->out.text);
}

TEST_F(cli_swap, owners_of_slots)
{
	struct source src;
	__u64 entry;
	char id[64];

	ASSERT_EQ(0, source_open(&src, getpid()));
	ASSERT_EQ(1, pagemap_read(src.proc, region_page(&self->alone, 5), &entry, 1));
	SWAP("owner 0 %llu", pm_swap_offset(entry));
	EXPECT_TRUE(cli_says(&self->out, "%llu: process %d (cli_swap) at %lx\n",
			     pm_swap_offset(entry), getpid(),
			     (unsigned long)region_page(&self->alone, 5)));
	ASSERT_EQ(1, pagemap_read(src.fd, region_page(&self->mapped, 7), &entry, 1));
	EXPECT_EQ(0, source_close(&src));
	SWAP("owner --json %s %llu", getenv("XPAGEMAP_SWAPDEV"), pm_swap_offset(entry));
	ASSERT_EQ(0, file_key(self->mapped.fd, id, sizeof(id)));
	EXPECT_TRUE(cli_says(&self->out, "%s", id));
}

/* stock: passes: processes have their share from smaps_rollup, and files are the rest */
TEST_F(cli_swap, without_the_module_shares_are_those_of_smaps)
{
	char id[64];

	SWAP("--json");
	EXPECT_EQ(ALONE + SHARED / 2, cli_number(&self->out, self->process, "pswap"));
	if (!source_is_proc())
		return;
	EXPECT_LE(MAPPED + UNMAPPED, cli_number(&self->out, NULL, "others"));
	ASSERT_EQ(0, file_key(self->mapped.fd, id, sizeof(id)));
	EXPECT_EQ(MAPPED, cli_number(&self->out, id, "at_least"));
	/* Nobody maps it: smaps misses it, and counts the pages shared by fork twice. */
	EXPECT_GE(-UNMAPPED, cli_number(&self->out, NULL, "error"));
	EXPECT_EQ(cli_number(&self->out, NULL, "swap_sum") - swaps_used(NULL),
		  cli_number(&self->out, NULL, "swap_sum_error"));
	EXPECT_TRUE(cli_says(&self->out, "files of shared memory in swap"));
}

#define NOBODY		65534
#define NOBODYS		48	/* pages */

static int swapped_of_nobody(struct child *c, void *arg)
{
	struct region r;

	(void)arg;
	if (region_map_filled(&r, NOBODYS) || region_pageout(&r) || setgid(NOBODY) ||
	    setuid(NOBODY) || !child_tell(c))
		return 1;
	child_hear(c);
	return 0;
}

TEST_F(cli_swap, slots_of_a_user)
{
	struct child other;
	char key[32];

	ASSERT_EQ(0, child_start(&other, swapped_of_nobody, NULL));
	ASSERT_TRUE(child_hear(&other));
	SWAP("--json --by user");
	snprintf(key, sizeof(key), "\"name\":\"%d", NOBODY);
	/* Slots shared by fork count in part. */
	EXPECT_LE(NOBODYS, cli_number(&self->out, key, "pswap")) TH_LOG("%s", self->out.text);
	if (!source_is_proc())
		EXPECT_EQ(NOBODYS, cli_number(&self->out, key, "alone"));
	child_kill(&other);
	SWAP("--json --by user");
	EXPECT_FALSE(cli_says(&self->out, "%s", key));
}

static int as_another_user(struct child *c, void *arg)
{
	struct cli *out = arg;

	(void)c;
	if (setgid(NOBODY) || setuid(NOBODY) || cli_run(out, "swap"))
		return 1;
	return !(out->status == 1 && cli_says(out, "run this as root"));
}

/* stock: passes: smaps of other users cannot be read */
TEST_F(cli_swap, other_users_are_refused)
{
	struct child other;

	ASSERT_EQ(0, child_start(&other, as_another_user, &self->out));
	EXPECT_TRUE(child_ended_well(&other));
}

TEST_HARNESS_MAIN
