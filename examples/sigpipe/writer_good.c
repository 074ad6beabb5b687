/* SPDX-License-Identifier: MIT */
/*
 * The same client, which outlives its server: writer_good PORT WAY, where the
 * way is ignore, nosignal or handler.  writer.c says what was wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
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
	fprintf(stderr, "writer: %s: %s\n", what, strerror(errno));
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

static int send_all(int fd, const char *data, size_t len, int flags)
{
	while (len) {
		ssize_t n = send(fd, data, len, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* That all has arrived, nobody knows before the server ends, too. */
static int finish(int fd)
{
	char c;
	ssize_t n;

	if (shutdown(fd, SHUT_WR))
		return fail("shutdown");
	while ((n = recv(fd, &c, 1, 0)) > 0 || (n < 0 && errno == EINTR))
		;
	return n ? fail("recv") : 0;
}

static int report(int fd, int flags)
{
	char line[32];
	int i;

	for (i = 1; i <= 4; i++) {
		snprintf(line, sizeof line, "line %d\n", i);
		if (send_all(fd, line, strlen(line), flags))
			return fail("send");
		printf("sent line %d\n", i);
	}
	return finish(fd) || (fflush(stdout) && fail("standard output"));
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	const char *way = argc > 2 ? argv[2] : "ignore";
	struct sigaction pipe = {
		.sa_handler = strcmp(way, "handler") ? SIG_IGN : nothing,
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), flags = 0, status;

	/*
	 * repaired: with the signal out of the way send says EPIPE.  The flag
	 * is for libraries; SIG_IGN is inherited by what is executed, a
	 * handler is not
	 */
	if (!strcmp(way, "nosignal"))
		flags = MSG_NOSIGNAL;
	else
		sigaction(SIGPIPE, &pipe, NULL);
	if (fd < 0)
		return fail("socket");
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = report(fd, flags);
	if (close(fd) && errno != EINTR && !status)
		status = fail("close");
	return status;
}
