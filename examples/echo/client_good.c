/* SPDX-License-Identifier: MIT */
/* The echo client with its errors handled; client.c says what was wrong. */
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
	fprintf(stderr, "echo client: %s: %s\n", what, strerror(errno));
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

/* A server that has gone is an error here, and no SIGPIPE. */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* As many bytes as were sent come back, in as many pieces as TCP likes. */
static int receive_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, data, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			errno = ECONNRESET;	/* ended in mid-line */
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static int converse(int fd)
{
	char line[512];

	while (fgets(line, sizeof line, stdin)) {
		size_t len = strlen(line);
		if (send_all(fd, line, len))
			return fail("send");
		if (receive_all(fd, line, len))
			return fail("receive");
		if (fwrite(line, 1, len, stdout) != len || fflush(stdout))
			return fail("standard output");
	}
	return ferror(stdin) ? fail("standard input") : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	if (fd < 0)
		return fail("socket");
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 7))
		status = fail("connect");
	else
		status = converse(fd);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
