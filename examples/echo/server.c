/* SPDX-License-Identifier: MIT */
/*
 * An echo server as it is often first written: it prints its port, and gives
 * every client back what it sends, one client after the other.  What is wrong
 * with it is marked; server_good.c is the corrected twin.
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
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("echo server");
		return 1;
	}
	getsockname(listener, (struct sockaddr *)&in, &len);
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		/* wrong: a failed accept's -1 is used as a descriptor */
		int fd = accept(listener, NULL, NULL);
		/* wrong: -1 is not 0, so an error is echoed, with length -1 */
		while ((n = read(fd, buf, sizeof buf)) != 0)
			/* wrong: a short write loses the rest */
			write(fd, buf, n);
		close(fd);
	}
}
