/* SPDX-License-Identifier: MIT */
/* The same client, which goes on waiting; timed.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

static void resize(int sig)
{
	(void)sig;
	resized = 1;
}

static int fail(const char *what)
{
	fprintf(stderr, "timed: %s: %s\n", what, strerror(errno));
	return 1;
}

static long now(void)			/* in milliseconds */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/*
 * repaired: an interrupted wait is a wait again, for what is left of the
 * time, and nothing else is done again
 */
static int wait_for(int fd, short events, long time)
{
	struct pollfd p = { .fd = fd, .events = events };
	long end = now() + time;
	int n;

	while ((n = poll(&p, 1, time)) < 0 && errno == EINTR)
		time = end > now() ? end - now() : 0;
	if (!n)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

static int dial(int fd, int port, long time)
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
	if (errno != EINPROGRESS || wait_for(fd, POLLOUT, time) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	errno = err;
	return err ? -1 : 0;
}

/* The greeting is one line: without its end it is none. */
static int listen_to(int fd, long time)
{
	char buf[512], last = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n > 0) {
			fwrite(buf, 1, n, stdout);
			last = buf[n - 1];
		} else if (errno != EINTR &&
			   (errno != EAGAIN || wait_for(fd, POLLIN, time))) {
			return fail("read");
		}
	}
	if (last != '\n') {
		fprintf(stderr, "timed: the greeting was cut off\n");
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = resize };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;
	long time = argc > 2 ? atof(argv[2]) * 1000 : 2000;

	if (fd < 0)
		return fail("socket");
	sigaction(SIGWINCH, &action, NULL);
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 0, time))
		status = fail("connect");
	else
		status = listen_to(fd, time);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
