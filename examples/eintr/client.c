/* SPDX-License-Identifier: MIT */
/*
 * Prints the line that a server greets with, and handles a signal, so that
 * calls that wait can be interrupted.  client_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

static void resize(int sig)
{
	(void)sig;
	resized = 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sigaction action = { .sa_handler = resize };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	sigaction(SIGWINCH, &action, NULL);
	/*
	 * wrong: after EINTR the handshake goes on, and a second connect is
	 * not the same call again.  Linux, where the socket waits, lets it
	 * pass; POSIX says EALREADY, and other systems EISCONN when it is done
	 */
	while (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		if (errno != EINTR) {
			perror("client: connect");
			return 1;
		}
	}
	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n > 0) {
			fwrite(buf, 1, n, stdout);
		} else if (errno != EINTR) {
			perror("client: read");
			return 1;
		}
	}
	close(fd);
	return 0;
}
