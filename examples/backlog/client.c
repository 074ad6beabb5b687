/* SPDX-License-Identifier: MIT */
/*
 * Prints the line that a server greets with.  client_good.c is the corrected
 * twin.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	/*
	 * wrong: it takes two minutes to hear that a server with a full queue
	 * does not answer, and then nobody listens
	 */
	connect(fd, (struct sockaddr *)&in, sizeof in);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	return 0;
}
