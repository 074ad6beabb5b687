/* SPDX-License-Identifier: MIT */
/* The same client, which asks how it went; connect.c says what was wrong. */
#include <fcntl.h>
#include "../good.h"

const char program[] = "connect";

static int connect_and_ask(int fd, int port, int time)
{
	struct sockaddr_in to = here(port);
	int flags = fcntl(fd, F_GETFL), error;
	socklen_t len = sizeof error;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -1;
	/* it may be there at once, as a connection to this machine can be */
	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	if (errno != EINPROGRESS || await(fd, POLLOUT, time))
		return -1;
	/*
	 * The repair: SO_ERROR says how it went, and nothing else does.  With
	 * a greeting that is already here a socket is readable and writable,
	 * too, like one whose connect has failed.
	 */
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;
	int time = argc > 2 ? atof(argv[2]) * SECOND : 2 * SECOND;

	if (fd < 0)
		return fail("socket");
	if (connect_and_ask(fd, argc > 1 ? atoi(argv[1]) : 0, time)) {
		status = fail("connect");
	} else {
		printf("connected\n");
		status = print_greeting(fd, time);
	}
	return close_end(fd) | status;
}
