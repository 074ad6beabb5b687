/* SPDX-License-Identifier: MIT */
/*
 * The other end of the examples: small servers and clients that do the same
 * every time.
 *
 *   peer echo [ADDRESS]...      gives back what it gets
 *   peer sink [ADDRESS]...      takes everything, answers nothing
 *   peer hangup [ADDRESS]...    closes when a line has come
 *   peer greet N [ADDRESS]...   sends N bytes at once, and ends
 *   peer answer N [ADDRESS]...  waits for a line, sends "N\n" and N bytes, ends
 *   peer tell PORT [TEXT]...    a client: sends lines, prints what comes
 *   peer ask PORT [TEXT]...     the same, and waits for each line's echo
 *
 * Servers listen on 127.0.0.1, or the addresses given, all on one port of the
 * kernel's choice.  They print it and serve one client after another.
 * Clients exit 0 when all was sent and the answer has ended in good order.
 */
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

#define ADDRESSES 4
#define PATIENCE 15			/* seconds, of the client */

static int fail(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Signals restart the calls here: there is no EINTR to be handled. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* Up to the end of the line, byte by byte; -1 when there is none. */
static int read_line(int fd)
{
	char c;

	do {
		if (recv(fd, &c, 1, 0) != 1)
			return -1;
	} while (c != '\n');
	return 0;
}

static int write_text(int fd, long len)
{
	while (len) {
		char row[] = "the quick brown fox jumps over the lazy dog.\n";
		long n = len < 45 ? len : 45;

		row[n - 1] = '\n';
		if (write_all(fd, row, n))
			return -1;
		len -= n;
	}
	return 0;
}

static void echo(int fd, long len)
{
	char buf[4096];
	ssize_t n;

	(void)len;
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		if (write_all(fd, buf, n))
			return;
}

/* Until the client has ended: a close with data unread would be a reset. */
static void sink(int fd, long len)
{
	char buf[4096];

	(void)len;
	while (recv(fd, buf, sizeof buf, 0) > 0)
		;
}

static void hangup(int fd, long len)
{
	(void)len;
	read_line(fd);
}

static void greet(int fd, long len)
{
	if (!write_text(fd, len) && !shutdown(fd, SHUT_WR))
		sink(fd, 0);
}

static void answer(int fd, long len)
{
	char head[32];

	snprintf(head, sizeof head, "%ld\n", len);
	if (!read_line(fd) && !write_all(fd, head, strlen(head)))
		greet(fd, len);
}

static const struct mode {
	const char *name;
	void (*serve)(int fd, long len);
	int sized;
} modes[] = {
	{ "echo", echo, 0 },
	{ "sink", sink, 0 },
	{ "hangup", hangup, 0 },
	{ "greet", greet, 1 },
	{ "answer", answer, 1 },
};

static int bound(const char *address, in_port_t *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = *port };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &in.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&in, sizeof in) ||
	    getsockname(fd, (struct sockaddr *)&in, &len))
		exit(fail(address));
	*port = in.sin_port;
	return fd;
}

static int serve(const struct mode *m, long len, char **addresses, int count)
{
	struct pollfd set[ADDRESSES];
	in_port_t port = 0;
	int i;

	for (i = 0; i < count; i++) {
		set[i].fd = bound(addresses[i], &port);
		set[i].events = POLLIN;
	}
	while (i--)
		if (listen(set[i].fd, 16))
			return fail("listen");
	printf("%d\n", ntohs(port));
	fflush(stdout);
	for (;;) {
		poll(set, count, -1);
		for (i = 0; i < count; i++) {
			int fd;

			if (!(set[i].revents & POLLIN))
				continue;
			fd = accept(set[i].fd, NULL, NULL);
			if (fd < 0)
				return fail("accept");
			m->serve(fd, len);
			close(fd);
		}
	}
}

/* One line, and the same line back. */
static int echoed(int fd, const char *line, size_t len)
{
	char buf[512];

	if (len > sizeof buf || recv(fd, buf, len, MSG_WAITALL) != (ssize_t)len)
		return 0;
	fwrite(buf, 1, len, stdout);
	return !memcmp(buf, line, len);
}

static int client(int port, char **texts, int asks)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	alarm(PATIENCE);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		return fail("connect");
	for (; *texts; texts++) {
		int len = snprintf(buf, sizeof buf, "%.500s\n", *texts);

		if (write_all(fd, buf, len))
			return fail("send");
		if (asks && !echoed(fd, buf, len)) {
			fprintf(stderr, "peer: no echo of '%s'\n", *texts);
			return 1;
		}
	}
	if (shutdown(fd, SHUT_WR))
		return fail("shutdown");
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		fwrite(buf, 1, n, stdout);
	if (n < 0)
		return fail("recv");
	close(fd);
	return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
	char *loopback[] = { "127.0.0.1" };
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 2 && (!strcmp(argv[1], "ask") || !strcmp(argv[1], "tell")))
		return client(atoi(argv[2]), argv + 3, argv[1][0] == 'a');
	for (i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++) {
		int from = 2 + modes[i].sized;

		if (strcmp(argv[1], modes[i].name) || argc < from ||
		    argc > from + ADDRESSES)
			continue;
		return serve(modes + i, modes[i].sized ? atol(argv[2]) : 0,
			     argc > from ? argv + from : loopback,
			     argc > from ? argc - from : 1);
	}
	fprintf(stderr, "usage: peer echo|sink|hangup [ADDRESS]...\n"
		"       peer greet|answer N [ADDRESS]...\n"
		"       peer tell|ask PORT [TEXT]...\n");
	return 2;
}
