/* SPDX-License-Identifier: MIT */
/* server.c, which starts again at once, or says why it cannot. */
#include "../good.h"

const char program[] = "greeting server";

static const char greeting[] = "hello from the server\n";

static void greet(int fd)
{
	if (send_all(fd, greeting, strlen(greeting), SECOND))
		fail("send");
	close_end(fd);
}

/* The repair: TIME_WAIT is no obstacle, another server is the end. */
static int listen_anyway(int listener, int port)
{
	struct sockaddr_in in = here(port);
	int on = 1;

	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in))
		return -1;
	return listen(listener, 5);
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0)
		return fail("cannot listen");
	if (listen_anyway(listener, argc > 1 ? atoi(argv[1]) : 0)) {
		fail("cannot listen");
		close(listener);
		return 1;
	}
	puts("ready");
	if (fflush(stdout)) {
		fail("standard output");
		close(listener);
		return 1;
	}
	for (;;)
		greet(next_client(listener));
}
