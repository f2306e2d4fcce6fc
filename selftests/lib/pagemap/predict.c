// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

#include "kselftest.h"
#include "lib/pagemap/predict.h"
#include "lib/pagemap/source.h"
#include "xpagemap.h"

#define LOCATION	((1ULL << 55) - 1)
#define ATTEMPTS	10

static sigjmp_buf refused;

static void refuse(int sig)
{
	siglongjmp(refused, sig);
}

/* Adds 1 to the first byte. Returns the signal that the write raised, or 0. */
static int write_byte(unsigned char *addr)
{
	struct sigaction action = { .sa_handler = refuse }, segv, bus;
	int sig;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	sig = sigsetjmp(refused, 1);
	if (!sig)
		__atomic_fetch_add(addr, 1, __ATOMIC_RELAXED);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return sig;
}

static bool entry_of(int fd, const void *addr, __u64 *entry)
{
	return pagemap_read(fd, addr, entry, 1) == 1;
}

/* The view of a page whose entry was the same before and after. */
static int look(struct predictor *p, const void *addr, __u64 *entry, struct page_view *v)
{
	__u64 after;
	int err, i;

	for (i = 0; i < ATTEMPTS; i++) {
		if (!entry_of(p->ex->proc, addr, entry))
			return -EIO;
		err = page_at(p->fd, addr, v);
		if (err)
			return err;
		if (!entry_of(p->ex->proc, addr, &after))
			return -EIO;
		if (after == *entry && !v->comments)
			return v->malformed ? -EBADMSG : 0;
	}
	return -EBUSY;
}

static bool write_is_right(const struct page_view *v, __u64 before, __u64 after, int sig)
{
	bool was = before & PM_PRESENT, is = after & PM_PRESENT;
	bool same = (before & LOCATION) == (after & LOCATION);

	if (!strcmp(v->write, "denied"))
		return sig && before == after;
	if (sig || !is)
		return false;
	if (!strcmp(v->write, "in-place"))
		return was && same;
	if (!strcmp(v->write, "copy"))
		return was && !same;
	return !strcmp(v->write, "fault") && !was;
}

static void count(struct predictor *p, bool right, const struct page_view *v, const char *kind,
		  __u64 before, __u64 after)
{
	p->made++;
	p->right += right;
	if (!right && p->made - p->right <= 10)
		ksft_print_msg("%s: %lx: %s %s, %s %s: before %llx, after %llx, %llu/%llu\n",
			       kind, v->addr, v->write, v->write_reason, v->fork,
			       v->fork_reason, before, after, v->folio.references,
			       v->folio.mappings);
}

int predict_write(struct predictor *p, const char *kind, unsigned char *addr)
{
	struct page_view view;
	__u64 before, after;
	int err, sig;

	err = look(p, addr, &before, &view);
	if (err)
		return err;
	sig = write_byte(addr);
	if (!entry_of(p->ex->proc, addr, &after))
		return -EIO;
	count(p, write_is_right(&view, before, after, sig), &view, kind, before, after);
	return 0;
}

int predict_fork(struct predictor *p, const char *kind, unsigned char *addr,
		 struct forecast *f)
{
	f->kind = kind;
	f->addr = addr;
	return look(p, addr, &f->before, &f->view);
}

static bool fork_is_right(const struct forecast *f, __u64 parent, __u64 child)
{
	const __u64 here = PM_PRESENT | PM_SWAP;
	bool same = (parent & (LOCATION | here)) == (child & (LOCATION | here));

	if (!strcmp(f->view.fork, "share"))
		return parent & here && same;
	if (!strcmp(f->view.fork, "copy"))
		return child & PM_PRESENT && !same && f->before & PM_PRESENT;
	return !strcmp(f->view.fork, "skip") && !(child & here);
}

int check_fork(struct predictor *p, const struct forecast *f, int child)
{
	__u64 parent, entry;

	if (!entry_of(p->ex->proc, f->addr, &parent) || !entry_of(child, f->addr, &entry))
		return -EIO;
	count(p, fork_is_right(f, parent, entry), &f->view, f->kind, parent, entry);
	return 0;
}
