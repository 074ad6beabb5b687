/* SPDX-License-Identifier: MIT */
/* The echo server with its errors handled; server.c says what was wrong. */
#include "../good.h"

const char program[] = "echo server";

/* The repair: an error is no length, and the end of this client only. */
static void echo(int fd)
{
	struct timeval time = { .tv_sec = 5 };
	char buf[512];

	/* a silent client must not keep the others waiting for ever */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time)) {
		fail("setsockopt");
		return;
	}
	for (;;) {
		ssize_t n = read(fd, buf, sizeof buf);
		if (n < 0 && again(fd, POLLIN, BLOCKING))
			continue;
		if (n < 0)
			fail("read");
		if (n <= 0)
			return;
		if (send_all(fd, buf, n, BLOCKING)) {
			fail("send");
			return;
		}
	}
}

/*
 * The repair: the next client, in every case.  The failures of one are no
 * reason to serve no other.
 */
static int next(int listener)
{
	struct timespec pause = { .tv_nsec = 100000000 };

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		fail("accept");
		/* EMFILE and its like last a while: do not spin */
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = here(argc > 1 ? atoi(argv[1]) : 0);
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0)
		return fail("socket");
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5) ||
	    getsockname(listener, (struct sockaddr *)&in, &len)) {
		fail("listen");
		close(listener);
		return 1;
	}
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = next(listener);
		echo(fd);
		close_end(fd);
	}
}
