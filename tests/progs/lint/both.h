/* SPDX-License-Identifier: MIT */
/* Both ends of a connection in one process. */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 6 };

static int listener, client, server;
static struct sockaddr_in addr;
static char buf[4096];

static void check(bool ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void listen_somewhere(void)
{
	socklen_t len = sizeof addr;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	addr = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	check(!bind(listener, (struct sockaddr *)&addr, sizeof addr), "bind");
	check(!listen(listener, 50), "listen");
	getsockname(listener, (struct sockaddr *)&addr, &len);
}

/* nobody_listens: addr is a port that refuses. */
static void nobody_listens(void)
{
	listen_somewhere();
	close(listener);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	check(!connect(fd, (struct sockaddr *)&addr, sizeof addr), "connect");
	return fd;
}

static int accepted(void)
{
	int fd = accept(listener, NULL, NULL);

	check(fd >= 0, "accept");
	return fd;
}

static void both(void)
{
	listen_somewhere();
	client = connected();
	server = accepted();
}

static void over(void)
{
	close(client);
	close(server);
	close(listener);
}

static void put(int fd, size_t len)
{
	check(send(fd, buf, len, 0) == (ssize_t)len, "send");
}

static void get(int fd, size_t len)
{
	check(recv(fd, buf, sizeof buf, 0) == (ssize_t)len, "recv");
}

static void readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	check(poll(&p, 1, -1) == 1, "poll");
}

static void writable(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	check(poll(&p, 1, -1) == 1, "poll");
}

/* others: connections that come and go, as in a server that lives on. */
static void others(int n)
{
	while (n--) {
		int c = connected(), s = accepted();
		put(c, 1);
		get(s, 1);
		close(c);
		close(s);
	}
}

static void linger_not(int fd)
{
	struct linger now = { 1, 0 };

	check(!setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now),
	      "SO_LINGER");
}

/* reset: the server's end is gone, the client does not know yet. */
static void reset(int fd)
{
	linger_not(fd);
	close(fd);
}

static pid_t forked(void)
{
	pid_t pid = fork();

	check(pid >= 0, "fork");
	return pid;
}

static void waited(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0) == pid && !status, "child");
}
