// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/storm/report.h"
#include "lib/system/text.h"

void report_add(struct report *sum, const struct report *t)
{
	sum->reads += t->reads;
	sum->entries += t->entries;
	sum->locations += t->locations;
	sum->constant += t->constant;
	sum->exact += t->exact;
	sum->own += t->own;
	sum->ambiguous += t->ambiguous;
	sum->silences += t->silences;
	if (t->wrong && !sum->wrong)
		memcpy(sum->first, t->first, sizeof(sum->first));
	sum->wrong += t->wrong;
}

void report_print(const struct report *t)
{
	ksft_print_msg("%zu reads of %zu entries, %zu of these locations in swap\n",
		       t->reads, t->entries, t->locations);
	ksft_print_msg("%zu locations were due at one place, and were that\n", t->constant);
	ksft_print_msg("bytes compared: %zu a calm page's, %zu a changed one's\n",
		       t->exact, t->own);
	ksft_print_msg("%zu ambiguous, %zu silences\n", t->ambiguous, t->silences);
	if (t->wrong)
		ksft_print_msg("wrong: %s\n", t->first);
}
