/* SPDX-License-Identifier: MIT */
/* client.c, for which a second without a word from the server are too long. */
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

#define PATIENCE 1000			/* milliseconds */

static int fail(const char *what)
{
	fprintf(stderr, "report client: %s: %s\n", what, strerror(errno));
	return -1;
}

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The repair: a time-out, which no number of signals makes longer. */
static int await(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	long end = now() + PATIENCE, left = PATIENCE;
	int n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR) {
		left = end - now();
		if (left < 0)
			left = 0;
	}
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
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (await(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN ? await(fd, POLLOUT) :
					     errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* The report's last line is a full stop. */
static int print_report(int fd)
{
	char data[4096];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof data &&
	       (n = recv(fd, data + len, sizeof data - len, 0))) {
		if (n < 0) {
			if (errno == EINTR ||
			    (errno == EAGAIN && !await(fd, POLLIN)))
				continue;
			return fail("recv");
		}
		if (fwrite(data + len, 1, n, stdout) != (size_t)n ||
		    fflush(stdout))
			return fail("standard output");
		len += n;
	}
	errno = ECONNRESET;
	if (len < 3 || memcmp(data + len - 3, "\n.\n", 3))
		return fail("the report is not complete");
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return -fail("socket");
	if (connect_to(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else if (send_all(fd, "report\n", 7))
		status = fail("send");
	else
		status = print_report(fd);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
