/* SPDX-License-Identifier: MIT */
/* The same client, which goes on waiting; timed.c says what was wrong. */
#include <signal.h>
#include "../good.h"

const char program[] = "timed";

static volatile sig_atomic_t resized;

static void resize(int sig)
{
	(void)sig;
	resized = 1;
}

/*
 * The repair: an interrupted wait is a wait again, for what is left of the
 * time, and nothing else is done again.
 */
static int connect_on(int fd, int port, int time)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	struct sockaddr_in to = here(port);
	long end = now() + time * 1000L;
	int n, error = ETIMEDOUT;
	socklen_t len = sizeof error;

	if (!connect(fd, (struct sockaddr *)&to, sizeof to))
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	while ((n = poll(&p, 1, time)) < 0 && errno == EINTR)
		time = time_left(end);
	if (n < 0 || (n && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len)))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = resize };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;
	int time = argc > 2 ? atof(argv[2]) * SECOND : 2 * SECOND;

	if (fd < 0)
		return fail("socket");
	sigaction(SIGWINCH, &action, NULL);
	if (connect_on(fd, argc > 1 ? atoi(argv[1]) : 0, time))
		status = fail("connect");
	else
		status = print_greeting(fd, time);
	return close_end(fd) | status;
}
