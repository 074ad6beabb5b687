/* SPDX-License-Identifier: MIT */
/* The one-shot server with its errors handled; server.c says what was wrong. */
#include "../good.h"

#define PATIENCE 5		/* seconds that the client may keep still */

const char program[] = "server";

/*
 * The repair: without a client there is nothing to go on with.  One that has
 * given up is followed by another (accept(2) lists these errors); with any
 * other the server says so and ends.
 */
static int first(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0)
			return fd;
		switch (errno) {
		case ECONNABORTED: case EPROTO: case ENOPROTOOPT:
		case ENETDOWN: case ENETUNREACH: case ENONET:
		case EHOSTDOWN: case EHOSTUNREACH: case EOPNOTSUPP:
			fail("accept");
			/* fallthrough */
		case EINTR:
			continue;
		}
		return -1;
	}
}

/* The message is a line, in any number of pieces, and then the client ends. */
static int print_message(int fd)
{
	struct timeval time = { .tv_sec = PATIENCE };
	char buf[512], last = 0;
	ssize_t n;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time))
		return fail("setsockopt");
	while ((n = receive(fd, buf, sizeof buf, BLOCKING)) > 0) {
		fwrite(buf, 1, n, stdout);
		last = buf[n - 1];
	}
	if (n < 0)
		return fail("recv");
	if (last != '\n') {
		fprintf(stderr, "server: the message was cut off\n");
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

static int serve(int listener, int port)
{
	struct sockaddr_in in = here(port);
	int fd, status;

	if (bind(listener, (struct sockaddr *)&in, sizeof in))
		return fail("bind");
	if (listen(listener, 5))
		return fail("listen");
	fd = first(listener);
	if (fd < 0)
		return fail("accept");
	status = print_message(fd);
	return close_end(fd) | status;
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), status;

	if (listener < 0)
		return fail("socket");
	status = serve(listener, argc > 1 ? atoi(argv[1]) : 0);
	return close_end(listener) | status;
}
