/* SPDX-License-Identifier: MIT */
/* client.c, for which a second without a word from the server are too long. */
#include "../good.h"

const char program[] = "report client";

/* The report's last line is a full stop. */
static int print_report(int fd)
{
	char data[4096];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof data &&
	       (n = recv(fd, data + len, sizeof data - len, 0))) {
		if (n < 0) {
			/*
			 * The repair: a time-out, which no number of signals
			 * makes longer.
			 */
			if (errno == EINTR ||
			    (errno == EAGAIN && !await(fd, POLLIN, SECOND)))
				continue;
			return fail("recv");
		}
		if (fwrite(data + len, 1, n, stdout) != (size_t)n ||
		    fflush(stdout))
			return fail("standard output");
		len += n;
	}
	errno = ECONNRESET;
	if (len < 3 || memcmp(data + len - 3, "\n.\n", 3))
		return fail("the report is not complete");
	return 0;
}

int main(int argc, char **argv)
{
	int fd = dial(argc > 1 ? atoi(argv[1]) : 0, SECOND), status;

	if (fd < 0)
		return 1;
	if (send_all(fd, "report\n", 7, SECOND))
		status = fail("send");
	else
		status = print_report(fd);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
