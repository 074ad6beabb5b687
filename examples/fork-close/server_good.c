/* SPDX-License-Identifier: MIT */
/* server.c, with the parent's copy of the descriptor closed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void complain(const char *what)
{
	fprintf(stderr, "echo server: %s: %s\n", what, strerror(errno));
}

static void close_end(int fd)
{
	if (close(fd) && errno != EINTR)
		complain("close");
}

/* 0 when it can go on, -1 when it cannot within a second. */
static int await(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, 1000);
	while (n < 0 && errno == EINTR);
	if (!n)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

static ssize_t receive(int fd, void *data, size_t len)
{
	ssize_t n;

	while ((n = recv(fd, data, len, 0)) < 0)
		if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return -1;
	return n;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN ? await(fd, POLLOUT) :
					     errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static void echo(int fd)
{
	char buf[512];
	ssize_t n;

	while ((n = receive(fd, buf, sizeof buf)) > 0) {
		if (send_all(fd, buf, n)) {
			complain("send");
			return;
		}
	}
	if (n < 0)
		complain("recv");
}

static void serve(int listener, int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		close_end(listener);
		echo(fd);
		close_end(fd);
		_exit(0);
	}
	if (pid < 0)
		complain("fork");
	/* the repair: the child's close is now the last, and sends the FIN */
	close_end(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, fd;

	signal(SIGCHLD, SIG_IGN);	/* no zombies */
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(listener, (struct sockaddr *)&in, sizeof in) ||
	    listen(listener, 5)) {
		complain("cannot listen");
		if (listener >= 0)
			close(listener);
		return 1;
	}
	for (;;) {
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0) {
			serve(listener, fd);
		} else if (errno != EINTR) {
			complain("accept");
			usleep(100000);	/* EMFILE and its like last */
		}
	}
}
