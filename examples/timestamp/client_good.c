/* SPDX-License-Identifier: MIT */
/* client.c, for which the stamp may come in any number of pieces. */
#include "../good.h"

const char program[] = "time client";

struct answer {
	char stamp[32];			/* 25 bytes, and the end of a string */
	char server[32];
};

/* The repair: each piece behind the last, and into the room that is left. */
static int receive_stamp(int fd, char *stamp, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n && len < size - 1) {
		n = receive(fd, stamp + len, size - 1 - len, SECOND);
		if (n < 0)
			return fail("recv");
		len += n;
	}
	stamp[len] = '\0';
	errno = ECONNRESET;
	if (n || !len || stamp[len - 1] != '\n')
		return fail("the stamp is not whole");
	return 0;
}

static int print_time(int fd)
{
	struct answer a = { .server = "localhost" };

	if (receive_stamp(fd, a.stamp, sizeof a.stamp))
		return 1;
	printf("%s: %s", a.server, a.stamp);
	return 0;
}

int main(int argc, char **argv)
{
	int fd = dial(argc > 1 ? atoi(argv[1]) : 0, SECOND), status;

	if (fd < 0)
		return 1;
	status = print_time(fd);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
