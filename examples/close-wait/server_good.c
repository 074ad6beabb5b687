/* SPDX-License-Identifier: MIT */
/* server.c, which closes however the conversation ends. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void complain(const char *what)
{
	fprintf(stderr, "capitals server: %s: %s\n", what, strerror(errno));
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

static ssize_t receive(int fd, void *data, size_t len)
{
	ssize_t n;

	while ((n = recv(fd, data, len, 0)) < 0)
		if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return -1;
	return n;
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

/* Its length, 0 where the client has ended, or -1. */
static int receive_line(int fd, char *line, int size)
{
	int len = 0;

	do {
		ssize_t n = receive(fd, line + len, 1);
		if (n <= 0)
			return n;
	} while (line[len++] != '\n' && len < size - 1);
	line[len] = '\0';
	return len;
}

static void talk(int fd)
{
	char line[512];
	int len;

	while ((len = receive_line(fd, line, sizeof line)) > 0) {
		for (int i = 0; i < len; i++)
			line[i] = toupper((unsigned char)line[i]);
		if (send_all(fd, line, len)) {
			complain("send");
			return;
		}
		if (!strcmp(line, "QUIT\n"))
			return;
	}
	if (len < 0)
		complain("recv");
}

/* The repair: the close belongs to the accept, whatever is between them. */
static void serve(int fd)
{
	talk(fd);
	if (close(fd) && errno != EINTR)
		complain("close");
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		complain("cannot listen");
		if (listener >= 0)
			close(listener);
		return 1;
	}
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0) {
			serve(fd);
		} else if (errno != EINTR) {
			complain("accept");
			usleep(100000);	/* EMFILE and its like last */
		}
	}
}
