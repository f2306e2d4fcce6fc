// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "lib/memory/pattern.h"

#define WORDS (PATTERN_BYTES / sizeof(__u64))
#define MAGIC 0x7870616765746573ULL

enum { WORD_MAGIC, WORD_ID, WORD_NUMBER, WORD_FIRST_RANDOM };

static __u64 mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	x ^= x >> 33;
	return x;
}

static __u64 word(__u64 seed, size_t i)
{
	return mix(seed + i) | 1;
}

__u64 pattern_new_id(void)
{
	__u64 id = 0;

	while (!id)
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = 0;
	return id;
}

void pattern_fill(void *page, __u64 id, __u64 number)
{
	__u64 seed = mix(id ^ mix(number));
	__u64 *words = page;
	size_t i;

	words[WORD_MAGIC] = MAGIC;
	words[WORD_ID] = id;
	words[WORD_NUMBER] = number;
	for (i = WORD_FIRST_RANDOM; i < WORDS; i++)
		words[i] = word(seed, i);
}

bool pattern_matches(const void *page, __u64 id, __u64 number)
{
	__u64 seed = mix(id ^ mix(number));
	const __u64 *words = page;
	size_t i;

	if (words[WORD_MAGIC] != MAGIC || words[WORD_ID] != id ||
	    words[WORD_NUMBER] != number)
		return false;
	for (i = WORD_FIRST_RANDOM; i < WORDS; i++)
		if (words[i] != word(seed, i))
			return false;
	return true;
}

bool pattern_read(const void *page, __u64 *id, __u64 *number)
{
	const __u64 *words = page;

	*id = words[WORD_ID];
	*number = words[WORD_NUMBER];
	return pattern_matches(page, *id, *number);
}

void pattern_describe(const void *page, __u64 id, char *buf, size_t size)
{
	const __u64 *words = page;
	size_t i;

	for (i = 0; i < WORDS && !words[i]; i++)
		;
	if (i == WORDS)
		snprintf(buf, size, "zeroes");
	else if (words[WORD_MAGIC] != MAGIC)
		snprintf(buf, size, "bytes of no test");
	else if (!pattern_matches(page, words[WORD_ID], words[WORD_NUMBER]))
		snprintf(buf, size, "a damaged page %llu",
			 (unsigned long long)words[WORD_NUMBER]);
	else
		snprintf(buf, size, "page %llu of %s",
			 (unsigned long long)words[WORD_NUMBER],
			 words[WORD_ID] == id ? "the same memory" :
						"other memory");
}
