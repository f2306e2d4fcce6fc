// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/memory/uring.h"

#define ENTRIES 1

/* A member of a ring, which the kernel changes as well. */
static unsigned int *member(const struct uring *u, unsigned int offset)
{
	return (unsigned int *)(u->rings + offset);
}

static unsigned int get(const struct uring *u, unsigned int offset)
{
	return __atomic_load_n(member(u, offset), __ATOMIC_ACQUIRE);
}

static void set(const struct uring *u, unsigned int offset, unsigned int value)
{
	__atomic_store_n(member(u, offset), value, __ATOMIC_RELEASE);
}

int uring_open(struct uring *u)
{
	struct io_uring_params *p = &u->params;

	*u = (struct uring){ 0 };
	u->fd = syscall(SYS_io_uring_setup, ENTRIES, p);
	if (u->fd < 0)
		return -errno;
	if (!(p->features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	u->rings_bytes = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
	if (u->rings_bytes < p->sq_off.array + p->sq_entries * sizeof(__u32))
		u->rings_bytes = p->sq_off.array + p->sq_entries * sizeof(__u32);
	u->sqes_bytes = p->sq_entries * sizeof(*u->sqes);
	u->rings = mmap(NULL, u->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
			IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, u->sqes_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
		       IORING_OFF_SQES);
	return u->rings == MAP_FAILED || u->sqes == MAP_FAILED ? -errno : 0;
}

int uring_register(const struct uring *u, void *buf, size_t bytes)
{
	struct iovec iov = { buf, bytes };

	return syscall(SYS_io_uring_register, u->fd, IORING_REGISTER_BUFFERS, &iov, 1) ?
	       -errno : 0;
}

int uring_unregister(const struct uring *u)
{
	return syscall(SYS_io_uring_register, u->fd, IORING_UNREGISTER_BUFFERS, NULL, 0) ?
	       -errno : 0;
}

/* Submits one request and waits for its completion. */
static int run(struct uring *u, struct io_uring_sqe sqe)
{
	const struct io_uring_params *p = &u->params;
	unsigned int tail = get(u, p->sq_off.tail);
	unsigned int slot = tail & get(u, p->sq_off.ring_mask);
	unsigned int head = get(u, p->cq_off.head);
	struct io_uring_cqe *cqes = (void *)(u->rings + p->cq_off.cqes);
	int result;

	u->sqes[slot] = sqe;
	set(u, p->sq_off.array + slot * sizeof(__u32), slot);
	set(u, p->sq_off.tail, tail + 1);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	if (head == get(u, p->cq_off.tail))
		return -EIO;
	result = cqes[head & get(u, p->cq_off.ring_mask)].res;
	set(u, p->cq_off.head, head + 1);
	if (result < 0)
		return result;
	return (unsigned int)result == sqe.len ? 0 : -EIO;
}

int uring_write(struct uring *u, int file, const void *buf, size_t bytes)
{
	return run(u, (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE_FIXED,
		.fd = file,
		.addr = (unsigned long)buf,
		.len = bytes,
	});
}

int uring_read(struct uring *u, int file, void *buf, size_t bytes)
{
	return run(u, (struct io_uring_sqe){
		.opcode = IORING_OP_READ_FIXED,
		.fd = file,
		.addr = (unsigned long)buf,
		.len = bytes,
	});
}

void uring_close(struct uring *u)
{
	munmap(u->rings, u->rings_bytes);
	munmap(u->sqes, u->sqes_bytes);
	close(u->fd);
}
