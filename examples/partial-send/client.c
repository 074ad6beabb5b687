/* SPDX-License-Identifier: MIT */
/*
 * Sends a journal on a socket that does not wait, and asks the server how
 * much of it has come.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void send_journal(int fd)
{
	char line[64];

	for (int i = 1; i <= 100; i++) {
		int len = sprintf(line, "entry %d of the journal\n", i);
		/*
		 * Missing: a look at what send returned.  It may have taken
		 * a part of the line, or, with EAGAIN, nothing.
		 */
		send(fd, line, len, 0);
	}
	shutdown(fd, SHUT_WR);
}

static void print_answer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char answer[64];
	ssize_t n;

	while (poll(&p, 1, -1) == 1 &&
	       (n = recv(fd, answer, sizeof answer, 0)) > 0)
		fwrite(answer, 1, n, stdout);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	signal(SIGPIPE, SIG_IGN);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		perror("journal client: connect");
		return 1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	send_journal(fd);
	print_answer(fd);
	close(fd);
	return 0;
}
