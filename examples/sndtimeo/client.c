/* SPDX-License-Identifier: MIT */
/*
 * Prints the line that a server greets with, and gives the connection half a
 * second (or the second argument) by SO_SNDTIMEO, which Linux heeds in
 * connect, too.  client_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	double seconds = argc > 2 ? atof(argv[2]) : 0.5;
	struct timeval time = {
		.tv_sec = seconds,
		.tv_usec = (seconds - (long)seconds) * 1000000,
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time)) {
		perror("client: setsockopt");
		return 1;
	}
	/*
	 * wrong: the time that is over is not ETIMEDOUT here but EINPROGRESS,
	 * which elsewhere is no failure
	 */
	if (connect(fd, (struct sockaddr *)&in, sizeof in) &&
	    errno != EINPROGRESS) {
		perror("client: connect");
		return 1;
	}
	while ((n = read(fd, buf, sizeof buf)) > 0)
		fwrite(buf, 1, n, stdout);
	close(fd);
	return 0;
}
