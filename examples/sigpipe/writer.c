/* SPDX-License-Identifier: MIT */
/*
 * Sends a server four lines and says so.  writer_good.c is the corrected
 * twin, in three ways.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), i;
	char line[32];

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		err(1, "connect");
	for (i = 1; i <= 4; i++) {
		snprintf(line, sizeof line, "line %d\n", i);
		/*
		 * wrong: of a server that has gone the first write after that
		 * does not know; it is answered with a reset, and the next
		 * one ends the program by SIGPIPE
		 */
		write(fd, line, strlen(line));
		printf("sent line %d\n", i);
	}
	close(fd);
	return 0;
}
