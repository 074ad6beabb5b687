/* SPDX-License-Identifier: MIT */
/* The echo client with its errors handled; client.c says what was wrong. */
#include "../good.h"

const char program[] = "echo client";

/*
 * The repair: every result is looked at.  As many bytes as were sent come
 * back, and a server that has gone is an error of send_all, and no SIGPIPE.
 */
static int converse(int fd)
{
	char line[512];

	while (fgets(line, sizeof line, stdin)) {
		size_t len = strlen(line);
		if (send_all(fd, line, len, BLOCKING))
			return fail("send");
		if (receive_all(fd, line, len, BLOCKING))
			return fail("receive");
		if (fwrite(line, 1, len, stdout) != len || fflush(stdout))
			return fail("standard output");
	}
	return ferror(stdin) ? fail("standard input") : 0;
}

int main(int argc, char **argv)
{
	int fd = dial_blocking(argc > 1 ? atoi(argv[1]) : 7, 5 * SECOND);
	int status;

	if (fd < 0)
		return 1;
	status = converse(fd);
	return close_end(fd) | status;
}
