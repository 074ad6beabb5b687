/* SPDX-License-Identifier: MIT */
/*
 * The server of many a first chapter: takes one message from one client,
 * prints it and ends.  server_good.c is the corrected twin.
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
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in))
		perror("bind");
	if (listen(listener, 5))
		perror("listen");
	fd = accept(listener, NULL, NULL);
	/* wrong: printed is not handled; fd is -1 from here on */
	if (fd < 0)
		perror("accept");
	n = recv(fd, buf, sizeof buf, 0);
	if (n > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	close(listener);
	return 0;
}
