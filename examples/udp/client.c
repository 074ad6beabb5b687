/* SPDX-License-Identifier: MIT */
/* Asks a server for words in capitals, a datagram each. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char *const words[] = { "alpha", "bravo", "delta" };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char answer[512] = "";

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		perror("word client: connect");
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		send(fd, words[i], strlen(words[i]), 0);
		/*
		 * Missing: an error, which may be about a datagram of long
		 * ago, leaves the last answer here, and this one for later.
		 */
		recv(fd, answer, sizeof answer - 1, 0);
		printf("%s: %s\n", words[i], answer);
	}
	close(fd);
	return 0;
}
