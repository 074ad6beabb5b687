/* SPDX-License-Identifier: MIT */
/* The same client, which gives up; retry.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES 4
#define PATIENCE 1000		/* milliseconds that nothing happens */

static int fail(const char *what)
{
	fprintf(stderr, "retry: %s: %s\n", what, strerror(errno));
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

static int dial(int fd, int port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(int);
	int err;

	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

/* What another try in a moment can be better than. */
static int passes(int err)
{
	return err == ECONNREFUSED || err == ECONNRESET || err == ETIMEDOUT ||
	       err == EHOSTUNREACH || err == ENETUNREACH ||
	       err == EADDRNOTAVAIL;
}

/*
 * repaired: a few tries, each on a new socket and after twice the pause, a
 * word about each, and an end
 */
static int dial_patiently(int port)
{
	struct timespec pause = { .tv_nsec = 50000000 };
	int try, fd, err;

	for (try = 1;; try++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd < 0 || !dial(fd, port))
			return fd;
		err = errno;
		close(fd);
		errno = err;
		if (try == TRIES || !passes(err))
			return -1;
		fail("to be tried again");
		while (nanosleep(&pause, &pause) && errno == EINTR)
			;
		pause.tv_nsec = 50000000L << try;
	}
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
		} else if (errno != EINTR &&
			   (errno != EAGAIN || wait_for(fd, POLLIN))) {
			return fail("read");
		}
	}
	if (last != '\n') {
		fprintf(stderr, "retry: the greeting was cut off\n");
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd = dial_patiently(argc > 1 ? atoi(argv[1]) : 0), status;

	if (fd < 0)
		return fail("connect");
	status = listen_to(fd);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
