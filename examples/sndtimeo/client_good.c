/* SPDX-License-Identifier: MIT */
/* The same client, which knows the word; client.c says what was wrong. */
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

#define PATIENCE 5		/* seconds that the server may keep still */

static int fail(const char *what)
{
	/*
	 * repaired: on a socket that waits these two mean that the time of
	 * SO_SNDTIMEO, in connect, or SO_RCVTIMEO is over
	 */
	if (errno == EINPROGRESS || errno == EAGAIN)
		errno = ETIMEDOUT;
	fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A signal does not end the handshake: wait until it is decided. */
static int decided(int fd, double seconds)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int n, err = ETIMEDOUT;

	while ((n = poll(&p, 1, seconds * 1000)) < 0 && errno == EINTR)
		;
	if (n < 0 || (n && getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len)))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

static int dial(int fd, int port, double seconds)
{
	struct timeval silence = { .tv_sec = PATIENCE }, time = {
		.tv_sec = seconds,
		.tv_usec = (seconds - (long)seconds) * 1000000,
	};
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence))
		return -1;
	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	return errno == EINTR ? decided(fd, seconds) : -1;
}

/* The greeting is one line: without its end it is none. */
static int listen_to(int fd)
{
	char buf[512], last = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n > 0) {
			fwrite(buf, 1, n, stdout);
			last = buf[n - 1];
		} else if (errno != EINTR) {
			return fail("read");
		}
	}
	if (last != '\n') {
		fprintf(stderr, "client: the greeting was cut off\n");
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	if (fd < 0)
		return fail("socket");
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 0,
		 argc > 2 ? atof(argv[2]) : 0.5))
		status = fail("connect");
	else
		status = listen_to(fd);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
