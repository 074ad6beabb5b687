/* SPDX-License-Identifier: MIT */
/*
 * A server that greets and closes: the connection's TIME_WAIT is on this
 * side, where it keeps the port from the next start for a minute.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char greeting[] = "hello from the server\n";

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	/*
	 * Missing: SO_REUSEADDR, and an end where bind has failed.  listen
	 * then takes any free port, on which nobody looks for this server.
	 */
	bind(listener, (struct sockaddr *)&in, sizeof in);
	listen(listener, 5);
	puts("ready");
	fflush(stdout);
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			perror("greeting server: accept");
			continue;
		}
		send(fd, greeting, strlen(greeting), 0);
		close(fd);
	}
}
