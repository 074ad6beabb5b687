/* SPDX-License-Identifier: MIT */
/*
 * How to find out what has become of a connect that did not wait: the ways
 * that are in use, and what each says on Linux.
 *
 *   checks real [slow]     the kernel brings each situation about: a full
 *                          queue, a listener, a port without one
 *   checks plain [slow]    there are listeners only, and checks.rules does
 *
 * Both print the same.  slow: the time-out, too, which takes a real one a
 * second.  Each answer is of a socket of its own, as some take the error.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { IN_PROGRESS, CONNECTED, REFUSED, TIMED_OUT };

static const struct situation {
	const char *name, *address;	/* by which the rules know it */
} situations[] = {
	[IN_PROGRESS] = { "in progress", "127.0.0.2" },
	[CONNECTED] = { "connected", "127.0.0.3" },
	[REFUSED] = { "refused", "127.0.0.4" },
	[TIMED_OUT] = { "timed out", "127.0.0.5" },
};

static struct sockaddr_in there;	/* where the situation is to be had */

static int again(int fd)
{
	return connect(fd, (struct sockaddr *)&there, sizeof there);
}

static int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int e;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len))
		return -1;
	errno = e;
	return e ? -1 : 0;
}

static int peer_name(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;

	return getpeername(fd, (struct sockaddr *)&peer, &len);
}

/* Linux answers a read of nothing without a look at the socket. */
static int read_0(int fd)
{
	char c;

	return read(fd, &c, 0);
}

static int read_1(int fd)
{
	char c;

	return read(fd, &c, 1);
}

/* What a socket is good for when its failure has been collected. */
static int both(int fd)
{
	so_error(fd);
	return again(fd);
}

static const struct check {
	const char *name;
	int (*ask)(int fd);
} checks[] = {
	{ "SO_ERROR", so_error },
	{ "getpeername", peer_name },
	{ "read of 0", read_0 },
	{ "read of 1", read_1 },
	{ "connect", again },
	{ "SO_ERROR and connect", both },
};
#define CHECKS (sizeof checks / sizeof *checks)

static int start(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	unsigned int ms = 500;

	if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms,
				 sizeof ms))
		err(1, "socket");
	if (again(fd) && errno != EINPROGRESS)
		err(1, "connect");
	return fd;
}

/* Its address goes to `there`; queue < 0: nobody listens on it. */
static int listener(const char *address, int queue)
{
	socklen_t len = sizeof there;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(&there, 0, sizeof there);
	there.sin_family = AF_INET;
	inet_pton(AF_INET, address, &there.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&there, len) ||
	    (queue >= 0 && listen(fd, queue)) ||
	    getsockname(fd, (struct sockaddr *)&there, &len))
		err(1, "%s", address);
	return fd;
}

static void row(enum kind kind, int real)
{
	int drops = real && (kind == IN_PROGRESS || kind == TIMED_OUT);
	int server = listener(situations[kind].address,
			      drops ? 0 : real && kind == REFUSED ? -1 : 16);
	int filler = drops ? start() : -1;
	struct pollfd p[CHECKS];
	size_t i;

	for (i = 0; i < CHECKS; i++) {
		p[i].fd = start();
		p[i].events = POLLOUT;
	}
	for (i = 0; kind != IN_PROGRESS && i < CHECKS; i++)
		if (poll(p + i, 1, 10000) != 1)
			errx(1, "%s: not decided", situations[kind].name);
	printf("%-11s", situations[kind].name);
	for (i = 0; i < CHECKS; i++) {
		int r = checks[i].ask(p[i].fd);

		printf("  %-*s", i < CHECKS - 1 ? 12 : 0,
		       r < 0 ? strerrorname_np(errno) : "0");
		close(p[i].fd);
	}
	printf("\n");
	if (filler >= 0)
		close(filler);
	close(server);
}

int main(int argc, char **argv)
{
	int real = argc < 2 || !strcmp(argv[1], "real");
	enum kind last = argc > 2 ? TIMED_OUT : REFUSED, kind;
	size_t i;

	printf("%-11s", "");
	for (i = 0; i < CHECKS; i++)
		printf("  %-12s", checks[i].name);
	printf("\n");
	for (kind = IN_PROGRESS; kind <= last; kind++)
		row(kind, real);
	return 0;
}
