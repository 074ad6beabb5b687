/* SPDX-License-Identifier: MIT */
/*
 * A server of one page: a client sends its request, an empty line behind it,
 * and reads the page until the end of the stream.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 40000

static void make_page(char *page)
{
	size_t len = sprintf(page, "HTTP/1.0 200 OK\r\n\r\n");

	for (int i = 1; len < PAGE - 32; i++)
		len += sprintf(page + len, "line %d of the page\n", i);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
	char request[1024], page[PAGE];

	signal(SIGPIPE, SIG_IGN);
	make_page(page);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("page server");
		return 1;
	}
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			perror("page server: accept");
			continue;
		}
		/*
		 * Missing: the rest of the request is not read.  close then
		 * sends a RST, and throws the rest of the page away.
		 */
		if (recv(fd, request, sizeof request, 0) > 0)
			send(fd, page, strlen(page), 0);
		close(fd);
	}
}
