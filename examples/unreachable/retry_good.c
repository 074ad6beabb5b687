/* SPDX-License-Identifier: MIT */
/* The same client, which gives up; retry.c says what was wrong. */
#include "../good.h"

#define TRIES 4

const char program[] = "retry";

/* What another try in a moment can be better than. */
static int passes(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET ||
	       error == ETIMEDOUT || error == EHOSTUNREACH ||
	       error == ENETUNREACH || error == EADDRNOTAVAIL;
}

/*
 * The repair: a few tries, each on a new socket and after twice the pause, a
 * word about each, and an end.
 */
static int dial_patiently(int port)
{
	struct timespec pause = { .tv_nsec = 50000000 };
	int try, fd, error;

	for (try = 1;; try++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fd < 0 || !connect_to(fd, here(port), SECOND))
			return fd;
		error = errno;
		close(fd);
		errno = error;
		if (try == TRIES || !passes(error))
			return -1;
		fail("to be tried again");
		while (nanosleep(&pause, &pause) && errno == EINTR)
			;
		pause.tv_nsec = 50000000L << try;
	}
}

int main(int argc, char **argv)
{
	int fd = dial_patiently(argc > 1 ? atoi(argv[1]) : 0), status;

	if (fd < 0)
		return fail("connect");
	status = print_greeting(fd, SECOND);
	return close_end(fd) | status;
}
