/* SPDX-License-Identifier: MIT */
/*
 * An echo client as it is often first written: lines from standard input to
 * the server, what comes back to standard output.  What is wrong with it is
 * marked; client_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char line[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 7);
	/* wrong: nobody looks whether there is a connection */
	connect(fd, (struct sockaddr *)&in, sizeof in);
	while (fgets(line, sizeof line, stdin)) {
		/* wrong: when the server has gone this kills the client */
		write(fd, line, strlen(line));
		/* wrong: -1 and 0 are taken for data, half a line for one */
		n = read(fd, line, sizeof line);
		fwrite(line, 1, n, stdout);
		fflush(stdout);
	}
	return 0;
}
