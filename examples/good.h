/* SPDX-License-Identifier: MIT */
/*
 * The few functions that every program with sockets needs, with what is easily
 * forgotten in them.  The good twins share them; what a twin is about stands
 * in the twin.
 *
 * They do not wait for ever.  The last argument, patience, says how:
 *   milliseconds   the socket does not block (SOCK_NONBLOCK), poll waits
 *   BLOCKING       it does, and has time-outs of its own (SO_RCVTIMEO,
 *                  SO_SNDTIMEO)
 * The result is 0, or -1 and errno, where nothing else is said.
 */
#ifndef GOOD_H
#define GOOD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BLOCKING 0
#define SECOND 1000

extern const char program[];		/* the twin's name, for its messages */

/* Says what failed, and why; 1, the status of a program that ends with it. */
static inline int fail(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program, what, strerror(errno));
	return 1;
}

/* 0, or 1 when it has failed and that is said. */
static inline int close_end(int fd)
{
	/* after EINTR it is closed: once more could hit another's descriptor */
	return close(fd) && errno != EINTR ? fail("close") : 0;
}

static inline struct sockaddr_in here(int port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	return in;
}

/* Waiting. */

static inline long now(void)			/* in microseconds */
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Until then, in the milliseconds of poll; never -1, which would be for ever */
static inline int time_left(long end)
{
	long time = end - now();

	return time > 0 ? (time + 999) / 1000 : 0;
}

/*
 * 0 when the socket is ready, or has failed, within the time.  poll, as select
 * has no room for descriptors from 1024 up.
 */
static inline int await(int fd, short events, int patience)
{
	struct pollfd p = { .fd = fd, .events = events };
	long end = now() + patience * 1000L;
	int n;

	/* a signal is not the end of the time, nor its beginning */
	while ((n = poll(&p, 1, patience)) < 0 && errno == EINTR)
		patience = time_left(end);
	if (!n)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/* Whether a call that has failed is to be made again, now that it can go on. */
static inline bool again(int fd, short events, int patience)
{
	if (errno == EINTR)
		return true;
	if (errno != EAGAIN)
		return false;
	if (patience != BLOCKING)
		return !await(fd, events, patience);
	errno = ETIMEDOUT;	/* the socket's own time is over */
	return false;
}

/* A stream, which knows no messages. */

/* All of it, in as many pieces as there is room for. */
static inline int send_all(int fd, const void *data, size_t len, int patience)
{
	while (len) {
		/* EPIPE is enough to know that the peer has gone: no SIGPIPE */
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n >= 0) {
			data = (const char *)data + n;
			len -= n;
		} else if (!again(fd, POLLOUT, patience)) {
			return -1;
		}
	}
	return 0;
}

/* What has come, up to len bytes of it; 0 at the end, or -1. */
static inline ssize_t receive(int fd, void *data, size_t len, int patience)
{
	ssize_t n;

	while ((n = recv(fd, data, len, 0)) < 0)
		if (!again(fd, POLLIN, patience))
			return -1;
	return n;
}

/* As much as was asked for, in however many pieces it comes. */
static inline int receive_all(int fd, void *data, size_t len, int patience)
{
	while (len) {
		ssize_t n = receive(fd, data, len, patience);

		if (!n)
			errno = ECONNRESET;	/* ended in the middle */
		if (n <= 0)
			return -1;
		data = (char *)data + n;
		len -= n;
	}
	return 0;
}

/* Prints what comes; 0, or 1 when that is no whole line and this is said. */
static inline int print_greeting(int fd, int patience)
{
	char buf[512], last = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n > 0) {
			fwrite(buf, 1, n, stdout);
			last = buf[n - 1];
		} else if (!again(fd, POLLIN, patience)) {
			return fail("read");
		}
	}
	/* the end of the stream is no end of a line: the server may be dead */
	if (last != '\n') {
		fprintf(stderr, "%s: the greeting was cut off\n", program);
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

/* Clients. */

/* Waits for a connect that is under way.  How it went only SO_ERROR tells. */
static inline int decided(int fd, int patience)
{
	int error;
	socklen_t len = sizeof error;

	if (await(fd, POLLOUT, patience) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static inline int connect_to(int fd, struct sockaddr_in to, int patience)
{
	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	/* either way the handshake goes on: another connect would be wrong */
	if (errno == EINPROGRESS || errno == EINTR)
		return decided(fd, patience);
	return -1;
}

/* A connection that does not block, or -1 when it has failed; that is said. */
static inline int dial(int port, int patience)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		fail("socket");
	} else if (connect_to(fd, here(port), patience)) {
		fail("connect");
		close_end(fd);
		fd = -1;
	}
	return fd;
}

/* The same of one that blocks, no longer at a time than that. */
static inline int dial_blocking(int port, int patience)
{
	struct timeval time = { .tv_sec = patience / 1000,
				.tv_usec = patience % 1000 * 1000 };
	struct sockaddr_in to = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0) {
		fail("socket");
		return -1;
	}
	if (!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) &&
	    /* a signal does not end the handshake, which goes on by itself */
	    (!connect(fd, (struct sockaddr *)&to, sizeof to) ||
	     (errno == EINTR && !decided(fd, patience))))
		return fd;
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;	/* the time of SO_SNDTIMEO is over */
	fail("connect");
	close_end(fd);
	return -1;
}

/* Servers. */

/* A socket that listens, or -1 when there is none; that is said. */
static inline int listen_on(int port)
{
	struct sockaddr_in in = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	/* SO_REUSEADDR: connections in TIME_WAIT do not keep the port */
	if (fd >= 0 &&
	    !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
	    !bind(fd, (struct sockaddr *)&in, sizeof in) && !listen(fd, 5))
		return fd;
	fail("cannot listen");
	if (fd >= 0)
		close_end(fd);
	return -1;
}

/* The next client; its socket does not block. */
static inline int next_client(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

		if (fd >= 0)
			return fd;
		if (errno != EINTR) {
			fail("accept");
			usleep(100000);	/* EMFILE and its like last: no spin */
		}
	}
}

#endif
