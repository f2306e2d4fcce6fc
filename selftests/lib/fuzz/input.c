// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <sys/random.h>

#include "lib/fuzz/input.h"

static __u64 state;

__u64 input_seed(void)
{
	const char *text = getenv("XPAGEMAP_FUZZ_SEED");
	__u64 seed = 0;

	if (text && *text)
		seed = strtoull(text, NULL, 0);
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = 1;
	input_start(seed);
	return seed;
}

void input_start(__u64 seed)
{
	state = seed;
}

/* splitmix64 */
__u64 input_word(void)
{
	__u64 word = state += 0x9e3779b97f4a7c15;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
	word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
	return word ^ (word >> 31);
}

size_t input_below(size_t limit)
{
	return input_word() % limit;
}

bool input_one_in(size_t n)
{
	return !input_below(n);
}

__u64 input_edge(void)
{
	switch (input_below(6)) {
	case 0:
		return input_below(16);
	case 1:
		return -input_below(8192);
	case 2:
		return (1ULL << input_below(64)) - input_below(3) + 1;
	case 3:
		return input_below(1 << 20) << 12;
	case 4:
		return (1ULL << 47) - (input_below(8) << 12);
	default:
		return input_word();
	}
}
