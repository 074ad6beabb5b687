/* SPDX-License-Identifier: MIT */
/* server.c, which starts again at once, or says why it cannot. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char greeting[] = "hello from the server\n";

static void complain(const char *what)
{
	fprintf(stderr, "greeting server: %s: %s\n", what, strerror(errno));
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

static void greet(int fd)
{
	if (send_all(fd, greeting, strlen(greeting)))
		complain("send");
	if (close(fd) && errno != EINTR)
		complain("close");
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	/* the repair: TIME_WAIT is no obstacle, another server is the end */
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		complain("cannot listen");
		if (listener >= 0)
			close(listener);
		return 1;
	}
	puts("ready");
	if (fflush(stdout)) {
		complain("standard output");
		close(listener);
		return 1;
	}
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0) {
			greet(fd);
		} else if (errno != EINTR) {
			complain("accept");
			usleep(100000);	/* EMFILE and its like last */
		}
	}
}
