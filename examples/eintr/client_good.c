/* SPDX-License-Identifier: MIT */
/* The same client, which waits on; client.c says what was wrong. */
#include <signal.h>
#include "../good.h"

#define PATIENCE 5		/* seconds that nothing moves */

const char program[] = "client";

static volatile sig_atomic_t resized;

static void resize(int sig)
{
	(void)sig;
	resized = 1;
}

/*
 * The repair: the interrupted handshake is waited for as one that was never
 * to be waited for in connect: poll until it is decided, SO_ERROR says how.
 */
static int connect_on(int fd, int port)
{
	struct timeval time = { .tv_sec = PATIENCE };
	struct sockaddr_in to = here(port);
	int error;
	socklen_t len = sizeof error;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time))
		return -1;
	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	if (errno == EINPROGRESS)
		errno = ETIMEDOUT;	/* the time of SO_SNDTIMEO is over */
	if (errno != EINTR || await(fd, POLLOUT, PATIENCE * SECOND) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = resize };
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	if (fd < 0)
		return fail("socket");
	sigaction(SIGWINCH, &action, NULL);
	if (connect_on(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = print_greeting(fd, BLOCKING);
	return close_end(fd) | status;
}
