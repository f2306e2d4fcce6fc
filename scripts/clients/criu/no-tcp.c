// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into CRIU in a guest whose kernel has no TCP, for scripts/clients/criu.sh. Before it
 * does anything, CRIU makes a TCP connection to itself to see if it may repair one, and gives up
 * if there is none. Here the connection is one of Unix sockets, and the answer to "may I repair
 * it" is no, as it is for those without CAP_NET_ADMIN.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
	if ((domain == AF_INET || domain == AF_INET6) && protocol == IPPROTO_TCP) {
		domain = AF_UNIX;
		protocol = 0;
	}
	return syscall(SYS_socket, domain, type, protocol);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr any = { .sa_family = AF_UNIX };

	/* The kernel chooses the name, as it would have chosen the port. */
	if (addr->sa_family == AF_INET || addr->sa_family == AF_INET6) {
		addr = &any;
		len = sizeof(any.sa_family);
	}
	return syscall(SYS_bind, fd, addr, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (level == SOL_TCP && name == TCP_REPAIR) {
		errno = EPERM;
		return -1;
	}
	return syscall(SYS_setsockopt, fd, level, name, value, len);
}
