/* SPDX-License-Identifier: GPL-2.0 */
/* PID/swapmap and files/ID/swapmap. */
#ifndef SELFTESTS_SWAPMAP_H
#define SELFTESTS_SWAPMAP_H

#include <stddef.h>
#include <sys/types.h>

/* Both return a file descriptor or a negative errno. */
int swapmap_open(pid_t pid);
int swapmap_open_file(const char *id);

/* The whole swapmap of a process, read in steps, malloc()ed; NULL with errno. */
char *swapmap_read(pid_t pid, size_t step, size_t *len);

#endif
