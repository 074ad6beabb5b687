/* SPDX-License-Identifier: MIT */
/* The one-shot server with its errors handled; server.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 5		/* seconds that the client may keep still */

static int fail(const char *what)
{
	if (errno == EAGAIN)
		errno = ETIMEDOUT;	/* what the PATIENCE ends with */
	fprintf(stderr, "server: %s: %s\n", what, strerror(errno));
	return 1;
}

/*
 * repaired: without a client there is nothing to go on with.  One that has
 * given up is followed by another (accept(2) lists these errors); with any
 * other the server says so and ends.
 */
static int first(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			return fd;
		switch (errno) {
		case ECONNABORTED: case EPROTO: case ENOPROTOOPT:
		case ENETDOWN: case ENETUNREACH: case ENONET:
		case EHOSTDOWN: case EHOSTUNREACH: case EOPNOTSUPP:
			fail("accept");
			/* fallthrough */
		case EINTR:
			continue;
		}
		return -1;
	}
}

/* The message is a line, in any number of pieces, and then the client ends. */
static int receive(int fd)
{
	struct timeval time = { .tv_sec = PATIENCE };
	char buf[512], last = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time))
		return fail("setsockopt");
	for (;;) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("recv");
		if (!n)
			break;
		fwrite(buf, 1, n, stdout);
		last = buf[n - 1];
	}
	if (last != '\n') {
		fprintf(stderr, "server: the message was cut off\n");
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

static int shut(int fd, int status)
{
	if (close(fd) && errno != EINTR)
		return fail("close");
	return status;
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	if (listener < 0)
		return fail("socket");
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in))
		return shut(listener, fail("bind"));
	if (listen(listener, 5))
		return shut(listener, fail("listen"));
	fd = first(listener);
	if (fd < 0)
		return shut(listener, fail("accept"));
	return shut(listener, shut(fd, receive(fd)));
}
