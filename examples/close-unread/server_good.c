/* SPDX-License-Identifier: MIT */
/* server.c, with nothing unread when it closes. */
#include "../good.h"

#define PAGE 40000

const char program[] = "page server";

static void make_page(char *page)
{
	size_t len = sprintf(page, "HTTP/1.0 200 OK\r\n\r\n");

	for (int i = 1; len < PAGE - 32; i++)
		len += sprintf(page + len, "line %d of the page\n", i);
}

/* Up to the empty line, however many pieces it comes in. */
static int receive_request(int fd)
{
	char request[1024] = "";
	size_t len = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t n = receive(fd, request + len,
				    sizeof request - 1 - len, SECOND);
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
	while ((n = receive(fd, rest, sizeof rest, SECOND)) > 0 && --left)
		;
	return n < 0 ? -1 : 0;
}

static void serve(int fd, const char *page)
{
	if (receive_request(fd))
		fail("request");
	else if (send_all(fd, page, strlen(page), SECOND))
		fail("send");
	else if (finish(fd))
		fail("end of the connection");
	close_end(fd);
}

int main(int argc, char **argv)
{
	int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);
	char page[PAGE];

	if (listener < 0)
		return 1;
	make_page(page);
	for (;;)
		serve(next_client(listener), page);
}
