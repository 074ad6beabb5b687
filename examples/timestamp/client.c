/* SPDX-License-Identifier: MIT */
/* A client that asks a server what time it is there, and prints that. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
	char stamp[32];			/* 25 bytes, and the end of a string */
	char server[32];
};

static int receive_stamp(int fd, char *stamp)
{
	char *tmp = stamp;
	ssize_t length;

	/*
	 * Missing: nothing looks how much room is left.  One recv has always
	 * brought the stamp; more of them, each with its end of a string, go
	 * past the buffer.
	 */
	while ((length = recv(fd, tmp, 26, 0)) > 0) {
		tmp[length] = '\0';
		tmp += length + 1;
	}
	return length;
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct answer a = { .server = "localhost" };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		perror("time client: connect");
		return 1;
	}
	if (receive_stamp(fd, a.stamp)) {
		perror("time client: recv");
		return 1;
	}
	printf("%s: %s", a.server, a.stamp);
	close(fd);
	return 0;
}
