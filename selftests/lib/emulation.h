/* SPDX-License-Identifier: GPL-2.0 */
/* What software emulation of the machine cannot do. */
#ifndef SELFTESTS_EMULATION_H
#define SELFTESTS_EMULATION_H

/*
 * QEMU before 8.1 does not see that another CPU has changed the code that it is just
 * translating, and goes on to execute the breakpoints through which the kernel patches
 * itself. Whatever switches a tracepoint while another CPU passes it again and again crashes
 * such a guest. Where the CPU is emulated, this keeps the caller, and whatever it starts from
 * then on, on one CPU, and says so. Returns 0 or a negative errno.
 */
int emulation_patch_safely(void);

#endif
