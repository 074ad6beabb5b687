/* SPDX-License-Identifier: MIT */
/*
 * Says whether a server with several addresses is up, and what it greets
 * with: status PORT ADDRESS...  status_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <err.h>
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

	if (argc < 3)
		errx(2, "usage: status PORT ADDRESS...");
	in.sin_port = htons(atoi(argv[1]));
	/* wrong: argv[2] is the first of its addresses, not the server */
	inet_pton(AF_INET, argv[2], &in.sin_addr);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		printf("down\n");
		return 0;
	}
	printf("up: ");
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	return 0;
}
