/* SPDX-License-Identifier: MIT */
/* The echo server with its errors handled; server.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* All of it, or -1; no SIGPIPE when the client has gone. */
static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

static void echo(int fd)
{
	char buf[512];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			perror("echo server: read");
		if (n <= 0)
			return;
		if (send_all(fd, buf, n)) {
			perror("echo server: send");
			return;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5) ||
	    getsockname(listener, (struct sockaddr *)&in, &len)) {
		perror("echo server");
		return 1;
	}
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0) {
			/* EMFILE and its like last a while: do not spin */
			struct timespec pause = { 0, 100000000 };
			perror("echo server: accept");
			nanosleep(&pause, NULL);
			continue;
		}
		echo(fd);
		close(fd);
	}
}
