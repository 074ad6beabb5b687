/* SPDX-License-Identifier: MIT */
/* The echo server with its errors handled; server.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 5		/* seconds that a client may keep still */

/* All of it, or -1; no SIGPIPE when the client has gone. */
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

static void complain(const char *what)
{
	if (errno == EAGAIN)
		errno = ETIMEDOUT;	/* what the PATIENCE ends with */
	fprintf(stderr, "echo server: %s: %s\n", what, strerror(errno));
}

static void echo(int fd)
{
	struct timeval time = { .tv_sec = PATIENCE };
	char buf[512];

	/* a silent client must not keep the others waiting for ever */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time)) {
		complain("setsockopt");
		return;
	}
	for (;;) {
		ssize_t n = read(fd, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			complain("read");
		if (n <= 0)
			return;
		if (send_all(fd, buf, n)) {
			complain("send");
			return;
		}
	}
}

/* The next client: the failures of one are no reason to serve no other. */
static int next(int listener)
{
	struct timespec pause = { .tv_nsec = 100000000 };

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		complain("accept");
		/* EMFILE and its like last a while: do not spin */
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0) {
		complain("socket");
		return 1;
	}
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5) ||
	    getsockname(listener, (struct sockaddr *)&in, &len)) {
		complain("listen");
		close(listener);
		return 1;
	}
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = next(listener);
		echo(fd);
		if (close(fd) && errno != EINTR)
			complain("close");
	}
}
