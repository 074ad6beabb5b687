/* SPDX-License-Identifier: MIT */
/*
 * The same client, which waits for its server no longer than it wants to (2
 * seconds, or the second argument).  client.c says what was wrong.
 */
#include "../good.h"

const char program[] = "client";

/* The repair: connect does not wait, poll does, and SO_ERROR tells. */
static int connect_in_time(int fd, int port, int time)
{
	struct sockaddr_in to = here(port);
	int error;
	socklen_t len = sizeof error;

	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	if (errno != EINPROGRESS || await(fd, POLLOUT, time) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;
	int time = argc > 2 ? atof(argv[2]) * SECOND : 2 * SECOND;

	if (fd < 0)
		return fail("socket");
	if (connect_in_time(fd, argc > 1 ? atoi(argv[1]) : 0, time))
		status = fail("connect");
	else
		status = print_greeting(fd, time);
	return close_end(fd) | status;
}
