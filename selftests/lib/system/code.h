/* SPDX-License-Identifier: GPL-2.0 */
/* Code whose addresses are known. */
#ifndef SELFTESTS_CODE_H
#define SELFTESTS_CODE_H

/* Writes a byte. Its last instruction is at store_byte_end. */
void store_byte(void *at);
extern const char store_byte_end[];

/* A system call; the next instruction is at behind_syscall. */
long call_kernel(long number, long a, long b, long c);
extern const char behind_syscall[];

#endif
