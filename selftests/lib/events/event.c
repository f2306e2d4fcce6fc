// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/events/event.h"
#include "lib/memory/region.h"

#define PID_LIMIT 4194304

static const char *const cause_names[CAUSES] = {
	[CAUSE_ANY] = "any",
	[CAUSE_NEW] = "new",
	[CAUSE_COW_COPY] = "cow-copy",
	[CAUSE_COW_REUSE] = "cow-reuse",
	[CAUSE_UNSHARE] = "unshare",
	[CAUSE_FORK_SHARE] = "fork-share",
	[CAUSE_FORK_COPY] = "fork-copy",
	[CAUSE_SWAP_OUT] = "swap-out",
	[CAUSE_SWAP_IN] = "swap-in",
	[CAUSE_SWAPOFF] = "swapoff",
	[CAUSE_MIGRATE_START] = "migrate-start",
	[CAUSE_MIGRATE_END] = "migrate-end",
	[CAUSE_THP_SPLIT] = "thp-split",
	[CAUSE_COLLAPSE] = "collapse",
	[CAUSE_KSM] = "ksm",
	[CAUSE_UFFD_COPY] = "uffd-copy",
	[CAUSE_HUGETLB] = "hugetlb",
	[CAUSE_DEVICE] = "device",
	[CAUSE_MOVE] = "move",
	[CAUSE_UNMAP] = "unmap",
	[CAUSE_FREE] = "free",
	[CAUSE_OTHER] = "other",
};

const char *cause_name(enum cause cause)
{
	return cause_names[cause];
}

/* Takes a word off the line, up to a space. NULL if there is none. */
static char *take_word(char **line)
{
	char *word = *line, *end = word ? strchr(word, ' ') : NULL;

	*line = end && end != word ? end + 1 : NULL;
	if (!*line)
		return NULL;
	*end = '\0';
	return word;
}

/* Takes a number without leading zeroes. */
static bool take_number(char **line, int base, __u64 *number)
{
	const char *word = take_word(line);
	size_t digits;

	if (!word)
		return false;
	digits = strspn(word, base == 16 ? "0123456789abcdef" : "0123456789");
	if (!digits || word[digits] || (digits > 1 && *word == '0'))
		return false;
	errno = 0;
	*number = strtoull(word, NULL, base);
	return !errno;
}

static bool take_addr(char **line, const unsigned char **addr)
{
	__u64 number;

	*addr = NULL;
	if (*line && !strncmp(*line, "- ", 2)) {
		*line += 2;
		return true;
	}
	if (!take_number(line, 16, &number) || !number || number % PAGE_BYTES)
		return false;
	*addr = (const unsigned char *)number;
	return true;
}

static bool take_op(char **line, enum event_op *op)
{
	const char *word = take_word(line);

	if (!word || (strcmp(word, "set") && strcmp(word, "clear")))
		return false;
	*op = *word == 's' ? OP_SET : OP_CLEAR;
	return true;
}

static bool take_cause(char **line, enum cause *cause)
{
	const char *word = take_word(line);

	for (*cause = CAUSE_NEW; word && *cause < CAUSES; (*cause)++)
		if (!strcmp(word, cause_names[*cause]))
			return true;
	return false;
}

/* True for names of functions as compilers emit them. */
static bool is_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum(name[i]) && !strchr("_.$", name[i]))
			return false;
	return len > 0;
}

/* Takes FUNCTION+0xOFFSET. */
static bool take_site(char **line, char *site, size_t size)
{
	const char *word = take_word(line), *plus;

	if (!word)
		return false;
	plus = strchr(word, '+');
	snprintf(site, size, "%s", word);
	return plus && is_name(word, plus - word) && !strncmp(plus, "+0x", 3) &&
	       plus[3] && !plus[3 + strspn(plus + 3, "0123456789abcdef")];
}

/* Cuts " ip=IP" off the end of the line. */
static bool cut_ip(char *line, unsigned long *ip)
{
	static const char before[] = " ip=";
	char *last = NULL, *at = line;
	size_t digits;

	*ip = 0;
	while ((at = strstr(at, before)))
		last = at++;
	if (!last)
		return false;
	*last = '\0';
	last += strlen(before);
	if (!strcmp(last, "-"))
		return true;
	digits = strspn(last, "0123456789abcdef");
	*ip = strtoul(last, NULL, 16);
	return *ip && *last != '0' && !last[digits];
}

bool event_parse(char *line, bool with_ip, struct event *e)
{
	__u64 pid;

	e->ip = 0;
	if (with_ip && !cut_ip(line, &e->ip))
		return false;
	if (!take_number(&line, 10, &e->seq) || !take_number(&line, 10, &e->ns) ||
	    !take_op(&line, &e->op) || !take_number(&line, 10, &e->pfn) ||
	    !take_addr(&line, &e->addr) || !take_cause(&line, &e->cause) ||
	    !take_site(&line, e->site, sizeof(e->site)) || !take_number(&line, 10, &pid))
		return false;
	e->pid = pid;
	/* The rest of the line: a process's name may have spaces. */
	if (strlen(line) >= sizeof(e->comm))
		return false;
	snprintf(e->comm, sizeof(e->comm), "%s", line);
	return pid <= PID_LIMIT;
}

void event_describe(const struct event *e, char *buf, size_t size)
{
	snprintf(buf, size, "%llu %llu %s %llu %lx %s %s %d %s",
		 (unsigned long long)e->seq, (unsigned long long)e->ns,
		 e->op == OP_SET ? "set" : "clear", (unsigned long long)e->pfn,
		 (unsigned long)e->addr, cause_name(e->cause), e->site, e->pid, e->comm);
}
