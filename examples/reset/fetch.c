/* SPDX-License-Identifier: MIT */
/*
 * Asks for a text and prints the answer: its length on the first line, then
 * so many bytes.  fetch_good.c is the corrected twin.
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
	char buf[1024];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		err(1, "fetch: connect");
	if (send(fd, "get\n", 4, MSG_NOSIGNAL) != 4)
		err(1, "fetch: send");
	/*
	 * wrong: the end of the stream, a reset and a server that died all
	 * end the loop, and what has come so far is taken for the whole
	 */
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	return 0;
}
