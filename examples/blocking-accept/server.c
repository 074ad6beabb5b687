/* SPDX-License-Identifier: MIT */
/* An echo server for many clients at once, with select. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static fd_set all;

static void echo(int fd)
{
	char buf[512];
	ssize_t n = recv(fd, buf, sizeof buf, 0);

	if (n > 0 && send(fd, buf, n, 0) == n)
		return;
	FD_CLR(fd, &all);
	close(fd);
}

static void add_client(int listener)
{
	/*
	 * Missing: O_NONBLOCK on the listener.  The client that select saw
	 * may be gone, and accept then waits for another.
	 */
	int fd = accept(listener, NULL, NULL);

	if (fd >= FD_SETSIZE)
		close(fd);
	else if (fd >= 0)
		FD_SET(fd, &all);
	else
		perror("echo server: accept");
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("echo server");
		return 1;
	}
	FD_SET(listener, &all);
	for (;;) {
		fd_set ready = all;
		if (select(FD_SETSIZE, &ready, NULL, NULL, NULL) < 0) {
			perror("echo server: select");
			return 1;
		}
		if (FD_ISSET(listener, &ready))
			add_client(listener);
		for (int fd = 0; fd < FD_SETSIZE; fd++)
			if (fd != listener && FD_ISSET(fd, &ready))
				echo(fd);
	}
}
