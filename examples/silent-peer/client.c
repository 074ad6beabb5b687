/* SPDX-License-Identifier: MIT */
/* Asks a server for its report, and prints it line by line as it comes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static int print_report(int fd)
{
	char data[512];
	fd_set set;
	ssize_t n;

	do {
		FD_ZERO(&set);
		FD_SET(fd, &set);
		/*
		 * Missing: a time-out.  select tells when the server ends or
		 * resets; of a server, or a network, that died it tells
		 * nothing.
		 */
		if (select(fd + 1, &set, NULL, NULL, NULL) < 0) {
			perror("report client: select");
			return 1;
		}
		n = recv(fd, data, sizeof data, 0);
		if (n > 0)
			fwrite(data, 1, n, stdout);
		fflush(stdout);
	} while (n > 0);
	if (n < 0)
		perror("report client: recv");
	return n < 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), status;

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in) ||
	    send(fd, "report\n", 7, 0) != 7) {
		perror("report client");
		return 1;
	}
	status = print_report(fd);
	close(fd);
	return status;
}
