/* SPDX-License-Identifier: MIT */
/*
 * Connects with a time-out (2 seconds, or the second argument) and prints the
 * line that the server greets with.  connect_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

/* 1 when the socket is writable within the time-out. */
static int writable(int fd, double seconds)
{
	struct timeval time = {
		.tv_sec = seconds,
		.tv_usec = (seconds - (long)seconds) * 1000000,
	};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, NULL, &set, NULL, &time);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		if (errno != EINPROGRESS) {
			perror("connect");
			return 1;
		}
		/*
		 * wrong: writable means that connect is over, not that there
		 * is a connection
		 */
		if (writable(fd, argc > 2 ? atof(argv[2]) : 2) <= 0) {
			fprintf(stderr, "connect: timed out\n");
			return 1;
		}
	}
	printf("connected\n");
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	return 0;
}
