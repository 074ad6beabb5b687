/* SPDX-License-Identifier: MIT */
/* The same, over all addresses; status.c says what was wrong. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1000		/* milliseconds that nothing happens */

static int fail(const char *what)
{
	fprintf(stderr, "status: %s: %s\n", what, strerror(errno));
	return 1;
}

static long now(void)			/* in milliseconds */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	long end = now() + PATIENCE, left = PATIENCE;
	int n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR)
		left = end > now() ? end - now() : 0;
	if (!n)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

static int dial(int fd, const char *address, int port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	socklen_t len = sizeof(int);
	int err;

	errno = EINVAL;
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -1;
	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

/*
 * repaired: each address is tried, on a socket of its own; only when none
 * answers is the server down
 */
static int dial_any(char **addresses, int port)
{
	for (; *addresses; addresses++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (fd >= 0 && !dial(fd, *addresses, port))
			return fd;
		fail(*addresses);
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Up is who greets with one whole line. */
static int listen_to(int fd)
{
	char line[512];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, line + len, sizeof line - len)) != 0) {
		if (n > 0)
			len += n;
		else if (errno != EINTR &&
			 (errno != EAGAIN || wait_for(fd, POLLIN)))
			return fail("read");
	}
	if (!len || line[len - 1] != '\n') {
		fprintf(stderr, "status: the greeting was cut off\n");
		return 1;
	}
	printf("up: %.*s", (int)len, line);
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd, status;

	if (argc < 3)
		errx(2, "usage: status PORT ADDRESS...");
	fd = dial_any(argv + 2, atoi(argv[1]));
	if (fd < 0) {
		fprintf(stderr, "status: down\n");
		return 1;
	}
	status = listen_to(fd);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
