/* SPDX-License-Identifier: MIT */
/* client.c, which tells half a text from a whole one. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "text client: %s: %s\n", what, strerror(errno));
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

static ssize_t receive(int fd, void *data, size_t len)
{
	ssize_t n;

	while ((n = recv(fd, data, len, 0)) < 0)
		if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return -1;
	return n;
}

static int fetch(int fd)
{
	char data[8192];
	size_t len = 0;
	ssize_t n = 1;

	if (send_all(fd, "text\n", 5))
		return fail("send");
	while (n && len < sizeof data) {
		n = receive(fd, data + len, sizeof data - len);
		/* the repair: an error is said ... */
		if (n < 0)
			return fail("recv");
		len += n;
	}
	/* ... and an end is one only behind the full stop of the text */
	errno = ECONNRESET;
	if (len < 3 || memcmp(data + len - 3, "\n.\n", 3))
		return fail("the text is not complete");
	if (fwrite(data, 1, len, stdout) != len)
		return fail("standard output");
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
		status = fetch(fd);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
