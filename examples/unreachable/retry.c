/* SPDX-License-Identifier: MIT */
/*
 * Prints the line that a server greets with, once the server is there.
 * retry_good.c is the corrected twin.
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
	 * wrong: for ever, as fast as the machine can, without a word, and
	 * also when it can never go well
	 */
	while (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM, 0);
	}
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0)
		perror("retry: read");
	close(fd);
	return n < 0;
}
