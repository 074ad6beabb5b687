/* SPDX-License-Identifier: MIT */
/* client.c, which tells half a text from a whole one. */
#include "../good.h"

const char program[] = "text client";

static int fetch(int fd)
{
	char data[8192];
	size_t len = 0;
	ssize_t n = 1;

	if (send_all(fd, "text\n", 5, SECOND))
		return fail("send");
	while (n && len < sizeof data) {
		n = receive(fd, data + len, sizeof data - len, SECOND);
		/* The repair: an error is said ... */
		if (n < 0)
			return fail("recv");
		len += n;
	}
	/* ... and an end is one only behind the full stop of the text. */
	errno = ECONNRESET;
	if (len < 3 || memcmp(data + len - 3, "\n.\n", 3))
		return fail("the text is not complete");
	if (fwrite(data, 1, len, stdout) != len)
		return fail("standard output");
	return 0;
}

int main(int argc, char **argv)
{
	int fd = dial(argc > 1 ? atoi(argv[1]) : 0, SECOND), status;

	if (fd < 0)
		return 1;
	status = fetch(fd);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
