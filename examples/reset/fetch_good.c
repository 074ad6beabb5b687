/* SPDX-License-Identifier: MIT */
/* The same client, which knows what is missing; fetch.c says what was wrong. */
#include "../good.h"

const char program[] = "fetch";

/* Prints what comes, the first line too, which says how much is to follow. */
static int answer(int fd)
{
	char buf[1024], head[32] = "";
	size_t digits = 0, total = 0;
	ssize_t n;

	while ((n = receive(fd, buf, sizeof buf, BLOCKING)) != 0) {
		/* The repair: an error is not the end ... */
		if (n < 0)
			return fail("recv");
		for (int i = 0; i < n && digits < sizeof head - 1 &&
		     !strchr(head, '\n'); i++)
			head[digits++] = buf[i];
		total += n;
		if (fwrite(buf, 1, n, stdout) != (size_t)n)
			return fail("standard output");
	}
	/* ... and the end is only good when everything has come before it. */
	if (!strchr(head, '\n') || total != digits + strtoul(head, NULL, 10)) {
		fprintf(stderr, "fetch: the answer ended after %zu bytes\n",
			total);
		return 1;
	}
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	int fd = dial_blocking(argc > 1 ? atoi(argv[1]) : 0, 5 * SECOND);
	int status;

	if (fd < 0)
		return 1;
	if (send_all(fd, "get\n", 4, BLOCKING))
		status = fail("send");
	else
		status = answer(fd);
	return close_end(fd) | status;
}
