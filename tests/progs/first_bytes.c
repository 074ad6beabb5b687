/* SPDX-License-Identifier: MIT */
/*
 * first_bytes MSS: how many bytes of much too many the first send of a
 * connection takes when it does not wait, the buffers on both sides are the
 * smallest there are, and no segment has more than MSS bytes of TCP.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

static void option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof value))
		err(1, "setsockopt");
}

int main(int argc, char **argv)
{
	static char data[1000000];
	struct sockaddr_in there = { .sin_family = AF_INET };
	socklen_t len = sizeof there;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 2)
		errx(2, "usage: first_bytes MSS");
	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	option(listener, SOL_SOCKET, SO_RCVBUF, 1);
	option(fd, SOL_SOCKET, SO_SNDBUF, 1);
	option(fd, IPPROTO_TCP, TCP_MAXSEG, atoi(argv[1]));
	if (bind(listener, (void *)&there, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&there, &len) ||
	    connect(fd, (void *)&there, len))
		err(1, "no connection");
	printf("%zd\n", send(fd, data, sizeof data, MSG_DONTWAIT));
	return 0;
}
