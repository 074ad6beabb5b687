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
 *   peer hear PORT              a client: sends nothing, not even an end
 *
 * Servers listen on 127.0.0.1, or the addresses given, all on one port of the
 * kernel's choice.  They print it and serve one client after another.
 * Clients exit 0 when all was sent and the answer has ended in good order.
 */
#include <signal.h>
#include "../good.h"

#define ADDRESSES 4
#define PATIENCE 15			/* seconds, of the client */

const char program[] = "peer";

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

/* The head and that much text at once: the pieces are up to the receiver. */
static int write_text(int fd, const char *head, size_t len)
{
	static const char row[] =
		"the quick brown fox jumps over the lazy dog.\n";
	size_t n = strlen(head), end = n + len, i;
	char *text = malloc(end + 1);
	int r;

	if (!text)
		exit(fail("malloc"));
	memcpy(text, head, n);
	for (i = 0; n < end; i++)
		text[n++] = row[i % (sizeof row - 1)];
	if (len)
		text[end - 1] = '\n';
	r = send_all(fd, text, end, BLOCKING);
	free(text);
	return r;
}

static void echo(int fd, long len)
{
	char buf[4096];
	ssize_t n;

	(void)len;
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
		if (send_all(fd, buf, n, BLOCKING))
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

/* The text, and the end, behind which the client is heard out. */
static void greet_with(int fd, const char *head, long len)
{
	if (!write_text(fd, head, len) && !shutdown(fd, SHUT_WR))
		sink(fd, 0);
}

static void greet(int fd, long len)
{
	greet_with(fd, "", len);
}

static void answer(int fd, long len)
{
	char head[32];

	snprintf(head, sizeof head, "%ld\n", len);
	if (!read_line(fd))
		greet_with(fd, head, len);
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

enum manner { ASK, TELL, HEAR };
static const char *const manners[] = { "ask", "tell", "hear" };

static int client(int port, char **texts, enum manner manner)
{
	struct sockaddr_in in = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[512];
	ssize_t n;

	alarm(PATIENCE);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		return fail("connect");
	for (; *texts; texts++) {
		int len = snprintf(buf, sizeof buf, "%.500s\n", *texts);

		if (send_all(fd, buf, len, BLOCKING))
			return fail("send");
		if (manner == ASK && !echoed(fd, buf, len)) {
			fprintf(stderr, "peer: no echo of '%s'\n", *texts);
			return 1;
		}
	}
	if (manner != HEAR && shutdown(fd, SHUT_WR))
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
	for (i = ASK; argc > 2 && i <= HEAR; i++)
		if (!strcmp(argv[1], manners[i]))
			return client(atoi(argv[2]), argv + 3, i);
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
		"       peer tell|ask PORT [TEXT]...\n"
		"       peer hear PORT\n");
	return 2;
}
