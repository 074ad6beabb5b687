/* SPDX-License-Identifier: MIT */
/* client.c, which sends every byte once. */
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
	fprintf(stderr, "journal client: %s: %s\n", what, strerror(errno));
	return -1;
}

/* 0 when it can go on, -1 after a second. */
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
	if (errno != EINPROGRESS && errno != EINTR)
		return -1;
	if (await(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

/*
 * The repair: go on behind what send has taken, and where it has taken
 * nothing wait until there is room.
 */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN) {
			if (await(fd, POLLOUT))
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static int send_journal(int fd)
{
	char line[64];

	for (int i = 1; i <= 100; i++) {
		int len = sprintf(line, "entry %d of the journal\n", i);
		if (send_all(fd, line, len))
			return fail("send");
	}
	return shutdown(fd, SHUT_WR) ? fail("shutdown") : 0;
}

/* One line, and then the end. */
static int print_answer(int fd)
{
	char answer[64];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, answer + len, sizeof answer - len, 0))) {
		if (n > 0)
			len += n;
		else if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return fail("answer");
	}
	errno = ECONNRESET;
	if (!len || answer[len - 1] != '\n')
		return fail("end of the answer");
	return fwrite(answer, 1, len, stdout) == len ? 0 : fail("output");
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return -fail("socket");
	if (connect_to(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = send_journal(fd) ? -1 : print_answer(fd);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
