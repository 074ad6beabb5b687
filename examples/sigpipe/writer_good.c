/* SPDX-License-Identifier: MIT */
/*
 * The same client, which outlives its server: writer_good PORT WAY, where the
 * way is ignore, nosignal or handler.  writer.c says what was wrong.
 */
#include <signal.h>
#include "../good.h"

const char program[] = "writer";

static int send_line(int fd, const char *data, size_t len, int flags)
{
	while (len) {
		ssize_t n = send(fd, data, len, flags);

		if (n < 0 && again(fd, POLLOUT, BLOCKING))
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* That all has arrived, nobody knows before the server ends, too. */
static int finish(int fd)
{
	char c;
	ssize_t n;

	if (shutdown(fd, SHUT_WR))
		return fail("shutdown");
	while ((n = receive(fd, &c, 1, BLOCKING)) > 0)
		;
	return n ? fail("recv") : 0;
}

static int report(int fd, int flags)
{
	char line[32];
	int i;

	for (i = 1; i <= 4; i++) {
		snprintf(line, sizeof line, "line %d\n", i);
		if (send_line(fd, line, strlen(line), flags))
			return fail("send");
		printf("sent line %d\n", i);
	}
	return finish(fd) || (fflush(stdout) && fail("standard output"));
}

static void nothing(int sig)
{
	(void)sig;
}

/*
 * The repair: with the signal out of the way send says EPIPE.  The flag is
 * for libraries; SIG_IGN is inherited by what is executed, a handler is not.
 */
static int without_signal(const char *way)
{
	struct sigaction pipe = {
		.sa_handler = strcmp(way, "handler") ? SIG_IGN : nothing,
	};

	if (!strcmp(way, "nosignal"))
		return MSG_NOSIGNAL;
	sigaction(SIGPIPE, &pipe, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int flags = without_signal(argc > 2 ? argv[2] : "ignore"), status;
	int fd = dial_blocking(argc > 1 ? atoi(argv[1]) : 0, 5 * SECOND);

	if (fd < 0)
		return 1;
	status = report(fd, flags);
	return close_end(fd) | status;
}
