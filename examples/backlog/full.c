/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own version of what client.rules does: prints a port whose
 * queue is full, and keeps it so.  SYNs to it are dropped; with
 * net.ipv4.tcp_abort_on_overflow they are answered with a reset.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0), i;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listener < 0 || bind(listener, (struct sockaddr *)&in, len) ||
	    listen(listener, 0) ||
	    getsockname(listener, (struct sockaddr *)&in, &len))
		err(1, "full");
	/* a backlog of 0 has room for one; nobody will accept it */
	for (i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(fd, (struct sockaddr *)&in, sizeof in);
	}
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	pause();
	return 0;
}
