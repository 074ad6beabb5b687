/* SPDX-License-Identifier: MIT */
/* client.c, for which the stamp may come in any number of pieces. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
	char stamp[32];			/* 25 bytes, and the end of a string */
	char server[32];
};

static int fail(const char *what)
{
	fprintf(stderr, "time client: %s: %s\n", what, strerror(errno));
	return -1;
}

/* 0 when it can go on, -1 when it cannot within a second. */
static int await(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, 1000);
	while (n < 0 && errno == EINTR);
	if (!n)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

static int connect_to(int fd, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int error;
	socklen_t len = sizeof error;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	if ((errno != EINPROGRESS && errno != EINTR) || await(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static ssize_t receive(int fd, void *data, size_t len)
{
	ssize_t n;

	while ((n = recv(fd, data, len, 0)) < 0)
		if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return -1;
	return n;
}

/* The repair: each piece behind the last, and into the room that is left. */
static int receive_stamp(int fd, char *stamp, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n && len < size - 1) {
		n = receive(fd, stamp + len, size - 1 - len);
		if (n < 0)
			return fail("recv");
		len += n;
	}
	stamp[len] = '\0';
	errno = ECONNRESET;
	if (n || !len || stamp[len - 1] != '\n')
		return fail("the stamp is not whole");
	return 0;
}

static int print_time(int fd)
{
	struct answer a = { .server = "localhost" };

	if (receive_stamp(fd, a.stamp, sizeof a.stamp))
		return -1;
	printf("%s: %s", a.server, a.stamp);
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return -fail("socket");
	if (connect_to(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = print_time(fd);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
