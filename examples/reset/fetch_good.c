/* SPDX-License-Identifier: MIT */
/* The same client, which knows what is missing; fetch.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 5		/* seconds that nothing moves */

static int fail(const char *what)
{
	if (errno == EAGAIN || errno == EINPROGRESS)
		errno = ETIMEDOUT;	/* what the PATIENCE ends with */
	fprintf(stderr, "fetch: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A signal does not end the handshake: wait until it is decided. */
static int decided(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int n, err = ETIMEDOUT;

	while ((n = poll(&p, 1, PATIENCE * 1000)) < 0 && errno == EINTR)
		;
	if (n < 0 || (n && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len)))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

static int dial(int fd, int port)
{
	struct timeval time = { .tv_sec = PATIENCE };
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time))
		return -1;
	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	return errno == EINTR ? decided(fd) : -1;
}

static int ask(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("send");
		data += n;
		len -= n;
	}
	return 0;
}

/* Prints what comes, the first line too, which says how much is to follow. */
static int answer(int fd)
{
	char buf[1024], head[32] = "";
	size_t digits = 0, total = 0;

	for (;;) {
		ssize_t n = recv(fd, buf, sizeof buf, 0);

		if (n < 0 && errno == EINTR)
			continue;
		/* repaired: an error is not the end ... */
		if (n < 0)
			return fail("recv");
		if (!n)
			break;
		for (int i = 0; i < n && digits < sizeof head - 1 &&
		     !strchr(head, '\n'); i++)
			head[digits++] = buf[i];
		total += n;
		if (fwrite(buf, 1, n, stdout) != (size_t)n)
			return fail("standard output");
	}
	/* ... and the end is only good when everything has come before it */
	if (!strchr(head, '\n') || total != digits + strtoul(head, NULL, 10)) {
		fprintf(stderr, "fetch: the answer ended after %zu bytes\n",
			total);
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	if (fd < 0)
		return fail("socket");
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = ask(fd, "get\n", 4) || answer(fd);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
