// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>
#include <unistd.h>

#include "lib/memory/pattern.h"
#include "lib/system/random.h"

size_t random_below(size_t limit)
{
	static __u64 state;
	static pid_t pid;

	if (pid != getpid()) {
		pid = getpid();
		state = pattern_new_id();
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % limit;
}
