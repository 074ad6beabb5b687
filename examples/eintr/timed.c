/* SPDX-License-Identifier: MIT */
/*
 * The same client with a time-out (2 seconds, or the second argument), where
 * Linux does not let it pass.  timed_good.c is the corrected twin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t resized;

static void resize(int sig)
{
	(void)sig;
	resized = 1;
}

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

static int dial(int fd, int port, double seconds)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(int);
	int n, err;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	while (connect(fd, (struct sockaddr *)&in, sizeof in)) {
		if (errno != EINPROGRESS)
			return -1;
		n = writable(fd, seconds);
		/*
		 * wrong: it was the wait that was interrupted; the connect is
		 * under way, and will say EALREADY
		 */
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ETIMEDOUT;
		if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
			return -1;
		errno = err;
		return err ? -1 : 0;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = resize };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	char buf[512];
	ssize_t n;

	sigaction(SIGWINCH, &action, NULL);
	if (dial(fd, argc > 1 ? atoi(argv[1]) : 0,
		 argc > 2 ? atof(argv[2]) : 2)) {
		perror("timed: connect");
		return 1;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	while ((n = read(fd, buf, sizeof buf)) != 0) {
		if (n > 0) {
			fwrite(buf, 1, n, stdout);
		} else if (errno != EINTR) {
			perror("timed: read");
			return 1;
		}
	}
	close(fd);
	return 0;
}
