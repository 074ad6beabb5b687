/* SPDX-License-Identifier: MIT */
/* Fetches a text from a server: a line that asks, then all that comes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char data[512];
	ssize_t n;

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		perror("text client: connect");
		return 1;
	}
	send(fd, "text\n", 5, 0);
	/*
	 * Missing: -1 is not an end.  The server's machine is gone, and half
	 * a text is taken for a whole one.
	 */
	while ((n = recv(fd, data, sizeof data, 0)) > 0)
		fwrite(data, 1, n, stdout);
	close(fd);
	return 0;
}
