/* SPDX-License-Identifier: MIT */
/* server.c, with nothing unread when it closes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 40000

static void make_page(char *page)
{
	size_t len = sprintf(page, "HTTP/1.0 200 OK\r\n\r\n");

	for (int i = 1; len < PAGE - 32; i++)
		len += sprintf(page + len, "line %d of the page\n", i);
}

static void complain(const char *what)
{
	fprintf(stderr, "page server: %s: %s\n", what, strerror(errno));
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

/* Up to the empty line, however many pieces it comes in. */
static int receive_request(int fd)
{
	char request[1024] = "";
	size_t len = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t n = receive(fd, request + len,
				    sizeof request - 1 - len);
		if (!n)
			errno = ECONNRESET;	/* or too long a request */
		if (n <= 0)
			return -1;
		len += n;
		request[len] = '\0';
	}
	return 0;
}

/*
 * The repair: say that this is all, and read until the client has nothing
 * more to say, but not without end.  The close then sends no RST.
 */
static int finish(int fd)
{
	char rest[4096];
	ssize_t n;
	int left = 100;

	if (shutdown(fd, SHUT_WR))
		return -1;
	while ((n = receive(fd, rest, sizeof rest)) > 0 && --left)
		;
	return n < 0 ? -1 : 0;
}

static void serve(int fd, const char *page)
{
	if (receive_request(fd))
		complain("request");
	else if (send_all(fd, page, strlen(page)))
		complain("send");
	else if (finish(fd))
		complain("end of the connection");
	if (close(fd) && errno != EINTR)
		complain("close");
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;
	char page[PAGE];

	make_page(page);
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
			serve(fd, page);
		} else if (errno != EINTR) {
			complain("accept");
			usleep(100000);	/* EMFILE and its like last */
		}
	}
}
