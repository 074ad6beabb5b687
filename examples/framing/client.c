/* SPDX-License-Identifier: MIT */
/*
 * A client of a protocol of messages, each behind its length (four bytes, the
 * highest first).  The server answers each in capitals.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void ask(int fd, const char *word)
{
	uint32_t len = htonl(strlen(word));
	char message[4 + 256] = "";

	memcpy(message, &len, 4);
	memcpy(message + 4, word, strlen(word));
	if (send(fd, message, 4 + strlen(word), 0) < 0) {
		perror("framing client: send");
		exit(1);
	}
	/*
	 * Missing: TCP has no messages.  This recv may give half of one, or
	 * the end of one and the head of the next.
	 */
	if (recv(fd, message, sizeof message - 1, 0) <= 0) {
		perror("framing client: recv");
		exit(1);
	}
	memcpy(&len, message, 4);
	printf("%s: %.*s\n", word, (int)ntohl(len), message + 4);
}

int main(int argc, char **argv)
{
	static const char *const words[] = { "stream", "record", "packet" };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		perror("framing client: connect");
		return 1;
	}
	for (size_t i = 0; i < 3; i++)
		ask(fd, words[i]);
	close(fd);
	return 0;
}
