/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An io_uring with one fixed buffer, pinned while it is registered. The ring writes the
 * pinned pages to a file, even if other pages are mapped by then.
 */
#ifndef SELFTESTS_URING_H
#define SELFTESTS_URING_H

/* The kernel tree's copy of linux/io_uring.h needs these. */
#include <asm/posix_types.h>
#include <linux/stddef.h>

#include <linux/io_uring.h>
#include <stddef.h>

struct uring {
	int fd;
	unsigned char *rings;
	size_t rings_bytes;
	struct io_uring_sqe *sqes;
	size_t sqes_bytes;
	struct io_uring_params params;
};

/* All return 0 or a negative errno. */
int uring_open(struct uring *u);
int uring_register(const struct uring *u, void *buf, size_t bytes);
int uring_unregister(const struct uring *u);

/* Writes @bytes of the fixed buffer to the beginning of @file, or reads them. */
int uring_write(struct uring *u, int file, const void *buf, size_t bytes);
int uring_read(struct uring *u, int file, void *buf, size_t bytes);

void uring_close(struct uring *u);

#endif
