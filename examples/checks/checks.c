/* SPDX-License-Identifier: MIT */
/*
 * How to find out what has become of a connect that did not wait: the ways
 * that are in use, and what each says on Linux.
 *
 *   checks real     the kernel brings each situation about: a full queue, a
 *                   listener, a port without one; a second, for the time-out
 *   checks plain    there are listeners only, and checks.rules does
 *
 * Both print the same.  Each answer is of a socket of its own, as some take
 * the error.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { IN_PROGRESS, CONNECTED, GREETED, REFUSED, TIMED_OUT, KINDS };

static const struct situation {
	const char *name, *address;	/* by which the rules know it */
} situations[] = {
	[IN_PROGRESS] = { "in progress", "127.0.0.2" },
	[CONNECTED] = { "connected", "127.0.0.3" },
	[GREETED] = { "with data", "127.0.0.3" },
	[REFUSED] = { "refused", "127.0.0.4" },
	[TIMED_OUT] = { "timed out", "127.0.0.5" },
};

static struct sockaddr_in there;	/* where the situation is to be had */

static int again(int fd)
{
	return connect(fd, (struct sockaddr *)&there, sizeof there);
}

/* The third call: Linux says 0 to the second when it went well. */
static int and_again(int fd)
{
	again(fd);
	return again(fd);
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

/* What a socket says when its failure has been collected. */
static int then_so_error(int fd)
{
	so_error(fd);
	return so_error(fd);
}

static int then_connect(int fd)
{
	so_error(fd);
	return again(fd);
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

static const char *polled(int fd)
{
	static const struct { short bit; const char *name; } bits[] = {
		{ POLLIN, " IN" }, { POLLOUT, " OUT" }, { POLLERR, " ERR" },
		{ POLLHUP, " HUP" }, { POLLRDHUP, " RDHUP" },
	};
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
	static char text[32];

	*text = 0;
	poll(&p, 1, 0);
	for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
		if (p.revents & bits[i].bit)
			strcat(text, bits[i].name);
	return *text ? text + 1 : "-";
}

static const char *selected(int fd)
{
	static const char *const names[] = {
		"-", "read", "write", "read write",
	};
	struct timeval none = { 0 };
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	select(fd + 1, &in, &out, NULL, &none);
	return names[!!FD_ISSET(fd, &in) + 2 * !!FD_ISSET(fd, &out)];
}

static const struct check {
	const char *name;
	int (*ask)(int fd);
	const char *(*look)(int fd);
} checks[] = {
	{ "poll", NULL, polled },
	{ "select", NULL, selected },
	{ "SO_ERROR", so_error, NULL },
	{ "SO_ERROR twice", then_so_error, NULL },
	{ "getpeername", peer_name, NULL },
	{ "read of 0", read_0, NULL },
	{ "read of 1", read_1, NULL },
	{ "connect", again, NULL },
	{ "connect twice", and_again, NULL },
	{ "SO_ERROR, connect", then_connect, NULL },
};
#define CHECKS (sizeof checks / sizeof *checks)

static const char *answer(const struct check *c, int fd)
{
	static char number[16];
	int r;

	if (c->look)
		return c->look(fd);
	r = c->ask(fd);
	if (r < 0)
		return strerrorname_np(errno);
	snprintf(number, sizeof number, "%d", r);
	return number;
}

static int start(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		err(1, "socket");
	if (again(fd) && errno != EINPROGRESS)
		err(1, "connect");
	return fd;
}

/* The first SYN without an answer is the last. */
static void hurry(int fd)
{
	unsigned int ms = 500;

	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms))
		err(1, "TCP_USER_TIMEOUT");
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

/* Greets all that are in the queue, and holds the connections. */
static void greet(int server, int *ends)
{
	for (size_t i = 0; i < CHECKS; i++) {
		ends[i] = accept(server, NULL, NULL);
		if (ends[i] < 0 || send(ends[i], "hello", 5, 0) != 5)
			err(1, "greet");
	}
}

static void wait_for(struct pollfd *p, short events, const char *name)
{
	for (size_t i = 0; i < CHECKS; i++) {
		p[i].events = events;
		if (poll(p + i, 1, 10000) != 1)
			errx(1, "%s: not decided", name);
	}
}

static void ask_all(enum kind kind, int real, char said[CHECKS][KINDS][32])
{
	int drops = real && (kind == IN_PROGRESS || kind == TIMED_OUT);
	int server = listener(situations[kind].address,
			      drops ? 0 : real && kind == REFUSED ? -1 : 16);
	int filler = drops ? start() : -1;
	int ends[CHECKS];
	struct pollfd p[CHECKS];
	size_t i;

	for (i = 0; i < CHECKS; i++) {
		p[i].fd = start();
		if (kind == TIMED_OUT)
			hurry(p[i].fd);
	}
	if (kind != IN_PROGRESS)
		wait_for(p, POLLOUT, situations[kind].name);
	if (kind == GREETED) {
		greet(server, ends);
		wait_for(p, POLLIN, situations[kind].name);
	}
	for (i = 0; i < CHECKS; i++) {
		strcpy(said[i][kind], answer(&checks[i], p[i].fd));
		close(p[i].fd);
		if (kind == GREETED)
			close(ends[i]);
	}
	if (filler >= 0)
		close(filler);
	close(server);
}

int main(int argc, char **argv)
{
	static char said[CHECKS][KINDS][32];
	static const int width[KINDS] = { 13, 13, 13, 22 };
	int real = argc < 2 || !strcmp(argv[1], "real"), kind;
	size_t i;

	for (kind = 0; kind < KINDS; kind++)
		ask_all(kind, real, said);
	printf("%-19s", "");
	for (kind = 0; kind < KINDS; kind++)
		printf("%-*s", width[kind], situations[kind].name);
	printf("\n");
	for (i = 0; i < CHECKS; i++) {
		printf("%-19s", checks[i].name);
		for (kind = 0; kind < KINDS; kind++)
			printf("%-*s", width[kind], said[i][kind]);
		printf("\n");
	}
	return 0;
}
