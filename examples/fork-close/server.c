/* SPDX-License-Identifier: MIT */
/* An echo server with a process for each client. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int fd)
{
	char buf[512];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		if (send(fd, buf, n, 0) != n)
			break;
	if (n < 0)
		perror("echo server: recv");
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);	/* no zombies */
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("echo server");
		return 1;
	}
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			perror("echo server: accept");
			continue;
		}
		if (fork() == 0) {
			close(listener);
			echo(fd);
			close(fd);
			_exit(0);
		}
		/*
		 * Missing: close(fd).  As long as the parent has it too, the
		 * child's close ends nothing, and the client sees no FIN.
		 */
	}
}
