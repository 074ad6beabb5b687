/* SPDX-License-Identifier: MIT */
/*
 * What a listening socket says to the calls that are made on connections.
 * connect says EISCONN, "already connected", which it is not: the kernel's
 * one word for "not in a state to connect".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(const char *call, ssize_t result)
{
	printf("%-12s %2zd %s\n", call, result,
	       result < 0 ? strerrorname_np(errno) : "");
}

int main(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr *name = (struct sockaddr *)&in;
	socklen_t len = sizeof in;
	char c = 0;
	int fd;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, name, len) || listen(fd, 5) ||
	    getsockname(fd, name, &len)) {
		perror("connect");
		return 1;
	}
	say("connect", connect(fd, name, sizeof in));
	say("getpeername", getpeername(fd, name, &len));
	say("send", send(fd, &c, 1, MSG_NOSIGNAL));
	say("recv", recv(fd, &c, 1, 0));
	say("bind", bind(fd, name, sizeof in));
	/* it goes on to listen, unharmed, until the shutdown */
	say("accept", accept(fd, NULL, NULL));
	say("listen", listen(fd, 5));
	say("shutdown", shutdown(fd, SHUT_RDWR));
	say("accept", accept(fd, NULL, NULL));
	close(fd);
	return 0;
}
