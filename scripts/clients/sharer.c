// SPDX-License-Identifier: GPL-2.0
/*
 * Shares 64 pages with a child: the parent copies 24 of them, the child 16, and once the child has
 * ended the parent writes to all. For scripts/clients/tracers.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <error.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096UL
#define START	((char *)0x200000000000)
#define PAGES	64

static void write_pages(int from, int to)
{
	for (int i = from; i < to; i++)
		START[i * PAGE]++;
}

int main(void)
{
	int parent_wrote[2];
	char byte = 0;
	pid_t pid;

	if (mmap(START, PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != START)
		error(1, errno, "mmap");
	if (pipe(parent_wrote))
		error(1, errno, "pipe");
	write_pages(0, PAGES);
	pid = fork();
	if (pid < 0)
		error(1, errno, "fork");
	if (!pid) {
		if (read(parent_wrote[0], &byte, 1) != 1)
			_exit(1);
		write_pages(0, 16);
		_exit(0);
	}
	write_pages(32, 56);
	if (write(parent_wrote[1], &byte, 1) != 1 || waitpid(pid, NULL, 0) != pid)
		error(1, errno, "child");
	write_pages(0, PAGES);
	return 0;
}
