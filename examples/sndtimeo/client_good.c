/* SPDX-License-Identifier: MIT */
/* The same client, which knows the word; client.c says what was wrong. */
#include "../good.h"

#define PATIENCE 5		/* seconds that the server may keep still */

const char program[] = "client";

static int connect_in_time(int fd, int port, double seconds)
{
	struct timeval silence = { .tv_sec = PATIENCE }, time = {
		.tv_sec = seconds,
		.tv_usec = (seconds - (long)seconds) * 1000000,
	};
	struct sockaddr_in to = here(port);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence))
		return -1;
	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	if (errno == EINTR)
		return decided(fd, seconds * SECOND);
	/*
	 * The repair: on a socket that waits this word means that the time of
	 * SO_SNDTIMEO is over.  Of SO_RCVTIMEO, in read, it is EAGAIN.
	 */
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;
	return -1;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	if (fd < 0)
		return fail("socket");
	if (connect_in_time(fd, argc > 1 ? atoi(argv[1]) : 0,
			    argc > 2 ? atof(argv[2]) : 0.5))
		status = fail("connect");
	else
		status = print_greeting(fd, BLOCKING);
	return close_end(fd) | status;
}
