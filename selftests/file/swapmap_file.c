// SPDX-License-Identifier: GPL-2.0
/*
 * read() and lseek() of PID/swapmap: any size and position, several readers, long
 * texts, sparse memory, and targets that change or end during the reads.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/harness.h"
#include "lib/lib.h"

#define PAGES		600
#define MANY		20000
#define SPARSE_BYTES	(512 * 1024 * PMD_BYTES)	/* 1 TiB */
#define SPARSE_PAGES	(SPARSE_BYTES / PAGE_BYTES)
#define TOUCHED		1000
#define STRIDE		(SPARSE_PAGES / TOUCHED)
#define SECONDS		3

FIXTURE(swapmap_file) {
	struct region region;	/* every second page is swapped */
	int fd;
	char *text;		/* expected text of the file */
	struct textfile file;
};

FIXTURE_SETUP(swapmap_file)
{
	size_t i;

	ASSERT_EQ(0, region_map_memfd(&self->region, PAGES));
	for (i = 0; i < PAGES; i += 2)
		region_fill_page(&self->region, i);
	ASSERT_EQ(0, region_pageout(&self->region));
	ASSERT_EQ(0, attach(getpid()));
	self->fd = swapmap_open(getpid());
	ASSERT_LE(0, self->fd);
	self->text = read_to_end(self->fd, 4096, &self->file.len);
	ASSERT_NE(NULL, self->text);
	self->file.fd = self->fd;
	self->file.text = self->text;
	self->file.step = 333;
	self->file.rounds = 5;
	ASSERT_LE(PAGES / 2, listing_check(self->text, PAGE_BYTES));
}

FIXTURE_TEARDOWN(swapmap_file)
{
	close(self->fd);
	free(self->text);
	EXPECT_EQ(0, detach(getpid()));
	region_free(&self->region);
}

TEST_F(swapmap_file, reads_of_any_size_give_the_same)
{
	EXPECT_TRUE(textfile_same_by_sizes(&self->file));
}

TEST_F(swapmap_file, reads_from_anywhere)
{
	EXPECT_TRUE(textfile_same_from_anywhere(&self->file));
}

TEST_F(swapmap_file, begins_anew_from_its_beginning)
{
	char buf[100];
	size_t len;
	char *text;

	EXPECT_EQ(0, read(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	ASSERT_EQ((ssize_t)sizeof(buf), read(self->fd, buf, sizeof(buf)));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	text = read_to_end(self->fd, 1000, &len);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(self->text, text));
	free(text);
	/* A read from the start gives the current state. */
	ASSERT_TRUE(pattern_matches(region_page(&self->region, 0), self->region.id, 0));
	ASSERT_EQ(0, lseek(self->fd, 0, SEEK_SET));
	text = read_to_end(self->fd, 1000, &len);
	ASSERT_NE(NULL, text);
	EXPECT_GT(self->file.len, len);
	free(text);
}

TEST_F(swapmap_file, two_readers_of_one_open_file)
{
	struct textfile rd = self->file;
	struct child c;
	int status;

	ASSERT_EQ(0, child_start(&c, textfile_read_again, &rd));
	rd.step = 1000;
	EXPECT_EQ(0, textfile_read_again(NULL, &rd));
	status = child_wait(&c);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* This process's swapmap without WHERE, malloc()ed, or NULL. */
static char *swapmap_read_joined(size_t step)
{
	size_t len;
	char *text = swapmap_read(getpid(), step, &len);
	char *joined = text ? listing_joined(text, PAGE_BYTES) : NULL;

	free(text);
	return joined;
}

/* More text than any buffer holds. */
TEST_F(swapmap_file, ten_thousand_lines)
{
	struct listing ls;
	struct region r;
	size_t i;
	char *text;

	ASSERT_EQ(0, region_map_memfd(&r, MANY));
	for (i = 0; i < MANY; i += 2)
		region_fill_page(&r, i);
	ASSERT_EQ(0, region_pageout(&r));
	ASSERT_EQ(0, listing_of_process(&ls, getpid(), NULL, NULL));
	EXPECT_LE(MANY / 2, ls.lines);
	text = swapmap_read_joined(65536);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(text, ls.text));
	free(text);
	text = swapmap_read_joined(1000);
	ASSERT_NE(NULL, text);
	EXPECT_EQ(0, strcmp(text, ls.text));
	free(text);
	listing_free(&ls);
	region_free(&r);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Returns the seconds to read the pagemap entries of 16 GiB of sparse memory. */
static double time_of_16_gib(const struct region *r)
{
	static __u64 entries[1 << 16];
	int fd = target_open(getpid());
	double start = now();
	size_t at;

	for (at = 0; at < SPARSE_PAGES / 64; at += ARRAY_SIZE(entries))
		if (pagemap_read(fd, region_page(r, at), entries, ARRAY_SIZE(entries)) < 0)
			break;
	close(fd);
	return now() - start;
}

/* A thousand pages in a terabyte: all are listed, empty ranges are skipped. */
TEST_F(swapmap_file, a_terabyte_almost_empty)
{
	int fd = memfd_create("xpagemap-test", MFD_CLOEXEC), map;
	struct listing ls;
	struct region r;
	size_t i, len;
	char *text, *joined;
	double took;
	__u64 entry;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, SPARSE_BYTES));
	ASSERT_EQ(0, region_map(&r, NULL, SPARSE_PAGES, MAP_SHARED | MAP_NORESERVE, fd, 0));
	for (i = 0; i < TOUCHED; i++)
		region_fill_page(&r, i * STRIDE);
	for (i = 0; i < TOUCHED; i++)
		ASSERT_EQ(0, region_pageout_pages(&r, i * STRIDE, 1));
	listing_init(&ls, PAGE_BYTES);
	map = target_open(getpid());
	for (i = 0; i < TOUCHED; i++) {
		ASSERT_EQ(1, pagemap_read(map, region_page(&r, i * STRIDE), &entry, 1));
		ASSERT_TRUE(pm_is_swap(entry));
		listing_add(&ls, (unsigned long)region_page(&r, i * STRIDE), entry);
	}
	listing_end(&ls);
	close(map);
	took = now();
	text = swapmap_read(getpid(), 65536, &len);
	took = now() - took;
	ASSERT_NE(NULL, text);
	joined = listing_joined(text, PAGE_BYTES);
	ASSERT_NE(NULL, joined);
	EXPECT_NE(NULL, strstr(joined, ls.text));
	free(joined);
	EXPECT_LE(TOUCHED + PAGES / 2, listing_check(text, PAGE_BYTES));
	ksft_print_msg("listed in %.3f s; pagemap needs %.3f s for a 64th of it\n", took,
		       time_of_16_gib(&r));
	EXPECT_GT((long)(time_of_16_gib(&r) * 1e6), (long)(took * 1e6));
	listing_free(&ls);
	free(text);
	region_free(&r);
}

/* Moves pages of the region in and out of swap until told to stop. */
static int churn(struct child *c, void *arg)
{
	struct region *r = arg;
	size_t from;

	if (!child_tell(c) || fcntl(c->in, F_SETFL, O_NONBLOCK))
		return 2;
	while (!child_hear(c) && errno == EAGAIN) {
		from = random_below(PAGES - 20);
		switch (random_below(4)) {
		case 0:
			madvise(r->addr, PAGES * PAGE_BYTES, MADV_PAGEOUT);
			break;
		case 1:
			fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  from * PAGE_BYTES, 20 * PAGE_BYTES);
			break;
		default:
			while (random_below(20))
				region_fill_page(r, from + random_below(20));
		}
	}
	return 0;
}

/* Lines are whole and in order, and the text ends. */
TEST_F(swapmap_file, while_pages_move)
{
	static const size_t sizes[] = { 100, 333, 4096, 65536 };
	double until = now() + SECONDS;
	size_t len, rounds = 0;
	struct child c;
	long lines = 0, got;
	char *text;

	ASSERT_EQ(0, child_start(&c, churn, &self->region));
	ASSERT_TRUE(child_hear(&c));
	while (now() < until) {
		text = swapmap_read(getpid(), sizes[rounds++ % ARRAY_SIZE(sizes)], &len);
		ASSERT_NE(NULL, text);
		got = listing_check(text, PAGE_BYTES);
		EXPECT_LE(0, got) TH_LOG("%s", text);
		free(text);
		if (got < 0)
			break;
		lines += got;
	}
	ksft_print_msg("%zu texts, %ld lines\n", rounds, lines);
	EXPECT_LT(0, lines);
	child_kill(&c);
}

static int exec_when_told(struct child *c, void *arg)
{
	(void)arg;
	if (!child_tell(c) || !child_hear(c))
		return 1;
	execlp("sleep", "sleep", "1000", NULL);
	return 127;
}

/* True if @text is whole lines of the start of @whole, then at most one '#' line. */
static bool is_a_beginning(const char *text, const char *whole)
{
	size_t same = 0;

	while (text[same] && text[same] == whole[same])
		same++;
	while (same && text[same - 1] != '\n')
		same--;
	text += same;
	return !*text || (*text == '#' && strchr(text, '\n') == text + strlen(text) - 1);
}

/* Reads a part, ends the target, reads on; then opens and reads anew. */
static void expect_end(struct __test_metadata *_metadata, struct child *c, const char *whole,
		       bool kill)
{
	pid_t pid = c->pid;
	char text[65536];
	size_t had, more;
	char *rest;
	int fd;

	ASSERT_EQ(0, attach(pid));
	fd = swapmap_open(pid);
	ASSERT_LE(0, fd);
	ASSERT_EQ(100, read(fd, text, 100));
	had = 100;
	if (kill) {
		child_kill(c);
	} else {
		ASSERT_TRUE(child_tell(c));
		/* The pipe closes on exec. */
		ASSERT_FALSE(child_hear(c));
	}
	rest = read_to_end(fd, 1000, &more);
	ASSERT_NE(NULL, rest);
	ASSERT_GT(sizeof(text), had + more);
	memcpy(text + had, rest, more + 1);
	EXPECT_TRUE(is_a_beginning(text, whole)) TH_LOG("%s", text);
	free(rest);
	close(fd);
	rest = swapmap_read(pid, 4096, &more);
	ASSERT_NE(NULL, rest);
	EXPECT_EQ('#', rest[0]);
	EXPECT_EQ(rest + more - 1, strchr(rest, '\n'));
	free(rest);
	EXPECT_EQ(0, detach(pid));
	child_kill(c);
}

/* The child has its parent's mappings, and no private memory in swap. */
TEST_F(swapmap_file, target_exits)
{
	struct child c;

	ASSERT_EQ(0, child_start_idle(&c));
	expect_end(_metadata, &c, self->text, true);
}

TEST_F(swapmap_file, target_execs)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, exec_when_told, NULL));
	ASSERT_TRUE(child_hear(&c));
	expect_end(_metadata, &c, self->text, false);
}

/* Exits with the errno of opening or reading the swapmap of its parent. */
static int open_without(struct child *c, void *arg)
{
	const int *capability = arg;
	char byte;
	int fd;

	(void)c;
	if (*capability >= 0 ? drop_capability(*capability) : setgid(65534) || setuid(65534))
		return 255;
	fd = swapmap_open(getppid());
	if (fd < 0)
		return -fd;
	return read(fd, &byte, 1) < 0 ? errno : 0;
}

static int error_without(int capability)
{
	struct child c;
	int status;

	if (child_start(&c, open_without, &capability))
		return -1;
	status = child_wait(&c);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(swapmap_file, who_may_read)
{
	struct stat st;

	EXPECT_EQ(0, error_without(CAP_SYS_TIME));
	EXPECT_EQ(EPERM, error_without(CAP_SYS_ADMIN));
	EXPECT_EQ(EACCES, error_without(-1));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(0400, st.st_mode & 07777);
}

TEST_HARNESS_MAIN
