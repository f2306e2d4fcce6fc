// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/storm/report.h"
#include "lib/system/text.h"

void report_add(struct report *sum, const struct report *r)
{
	sum->reads += r->reads;
	sum->entries += r->entries;
	sum->locations += r->locations;
	sum->constant += r->constant;
	sum->exact += r->exact;
	sum->own += r->own;
	sum->changed += r->changed;
	sum->locked += r->locked;
	if (r->wrong && !sum->wrong)
		memcpy(sum->first, r->first, sizeof(sum->first));
	sum->wrong += r->wrong;
}

void report_print(const struct report *r)
{
	ksft_print_msg("%zu reads of %zu entries, %zu with a swap slot\n",
		       r->reads, r->entries, r->locations);
	ksft_print_msg("%zu slots were known before, and the same\n", r->constant);
	ksft_print_msg("bytes compared: %zu of unchanged pages, %zu of changed pages\n",
		       r->exact, r->own);
	ksft_print_msg("%zu changed before the comparison, %zu compared with changes locked out\n",
		       r->changed, r->locked);
	if (r->wrong)
		ksft_print_msg("wrong: %s\n", r->first);
}
