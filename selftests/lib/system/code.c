// SPDX-License-Identifier: GPL-2.0
#include "lib/system/code.h"

asm(".pushsection .text\n"
	".globl store_byte, store_byte_end, call_kernel, behind_syscall\n"
	"store_byte:\n"
	"	movb $1, (%rdi)\n"
	"store_byte_end:\n"
	"	ret\n"
	"call_kernel:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	syscall\n"
	"behind_syscall:\n"
	"	ret\n"
	".popsection\n");
