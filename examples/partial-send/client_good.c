/* SPDX-License-Identifier: MIT */
/* client.c, which sends every byte once. */
#include "../good.h"

const char program[] = "journal client";

/*
 * The repair: go on behind what send has taken, and where it has taken
 * nothing wait until there is room.
 */
static int send_whole(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN) {
			if (await(fd, POLLOUT, SECOND))
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static int send_journal(int fd)
{
	char line[64];

	for (int i = 1; i <= 100; i++) {
		int len = sprintf(line, "entry %d of the journal\n", i);
		if (send_whole(fd, line, len))
			return fail("send");
	}
	return shutdown(fd, SHUT_WR) ? fail("shutdown") : 0;
}

/* One line, and then the end. */
static int print_answer(int fd)
{
	char answer[64];
	size_t len = 0;
	ssize_t n;

	while ((n = receive(fd, answer + len, sizeof answer - len, SECOND))) {
		if (n < 0)
			return fail("answer");
		len += n;
	}
	errno = ECONNRESET;
	if (!len || answer[len - 1] != '\n')
		return fail("end of the answer");
	return fwrite(answer, 1, len, stdout) == len ? 0 : fail("output");
}

int main(int argc, char **argv)
{
	int fd = dial(argc > 1 ? atoi(argv[1]) : 0, SECOND), status;

	if (fd < 0)
		return 1;
	status = send_journal(fd) || print_answer(fd);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
