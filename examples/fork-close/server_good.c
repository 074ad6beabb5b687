/* SPDX-License-Identifier: MIT */
/* server.c, with the parent's copy of the descriptor closed. */
#include <signal.h>
#include "../good.h"

const char program[] = "echo server";

static void echo(int fd)
{
	char buf[512];
	ssize_t n;

	while ((n = receive(fd, buf, sizeof buf, SECOND)) > 0) {
		if (send_all(fd, buf, n, SECOND)) {
			fail("send");
			return;
		}
	}
	if (n < 0)
		fail("recv");
}

static void serve(int listener, int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		close_end(listener);
		echo(fd);
		close_end(fd);
		_exit(0);
	}
	if (pid < 0)
		fail("fork");
	/* The repair: the child's close is now the last, and sends the FIN. */
	close_end(fd);
}

int main(int argc, char **argv)
{
	int listener;

	signal(SIGCHLD, SIG_IGN);	/* no zombies */
	listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);
	if (listener < 0)
		return 1;
	for (;;)
		serve(listener, next_client(listener));
}
