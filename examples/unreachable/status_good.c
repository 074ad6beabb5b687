/* SPDX-License-Identifier: MIT */
/* The same, over all addresses; status.c says what was wrong. */
#include <err.h>
#include "../good.h"

const char program[] = "status";

static int connect_address(int fd, const char *address, int port)
{
	struct sockaddr_in to = here(port);

	errno = EINVAL;
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return -1;
	return connect_to(fd, to, SECOND);
}

/*
 * The repair: each address is tried, on a socket of its own; only when none
 * answers is the server down.
 */
static int dial_any(char **addresses, int port)
{
	for (; *addresses; addresses++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (fd >= 0 && !connect_address(fd, *addresses, port))
			return fd;
		fail(*addresses);
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

/* Up is who greets with one whole line. */
static int listen_to(int fd)
{
	char line[512];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, line + len, sizeof line - len)) != 0) {
		if (n > 0)
			len += n;
		else if (!again(fd, POLLIN, SECOND))
			return fail("read");
	}
	if (!len || line[len - 1] != '\n') {
		fprintf(stderr, "status: the greeting was cut off\n");
		return 1;
	}
	printf("up: %.*s", (int)len, line);
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd, status;

	if (argc < 3)
		errx(2, "usage: status PORT ADDRESS...");
	fd = dial_any(argv + 2, atoi(argv[1]));
	if (fd < 0) {
		fprintf(stderr, "status: down\n");
		return 1;
	}
	status = listen_to(fd);
	return close_end(fd) | status;
}
