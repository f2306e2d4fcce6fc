/* SPDX-License-Identifier: GPL-2.0 */
/* Random input that a seed repeats. */
#ifndef SELFTESTS_INPUT_H
#define SELFTESTS_INPUT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* Starts the sequence: XPAGEMAP_FUZZ_SEED of the environment, or a new seed. Returns it. */
__u64 input_seed(void);
void input_start(__u64 seed);

__u64 input_word(void);
size_t input_below(size_t limit);
bool input_one_in(size_t n);

/* A value at which something may change: powers of two, the largest ones, small ones. */
__u64 input_edge(void);

#endif
