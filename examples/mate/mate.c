/* SPDX-License-Identifier: MIT */
/*
 * The other end of the examples: mate MODE PORT [LINE...].  A server prints
 * its port (0: any) and serves one client after another; a client prints what
 * it receives, and gives up after two seconds.
 */
#include <ctype.h>
#include <err.h>
#include <signal.h>
#include <stdint.h>
#include "../good.h"

/* A line with its end, as a string, or -1. */
static int receive_line(int fd, char *line, size_t size)
{
	size_t len = 0;

	do {
		if (receive_all(fd, line + len, 1, BLOCKING))
			return -1;
	} while (line[len++] != '\n' && len < size - 1);
	line[len] = '\0';
	return 0;
}

static void make_upper(char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = toupper((unsigned char)data[i]);
}

/* Servers: one client each time. */

/* Messages behind their length, four bytes: back in capitals. */
static void serve_frames(int fd)
{
	char frame[4 + 256];
	uint32_t len;

	while (!receive_all(fd, frame, 4, BLOCKING)) {
		memcpy(&len, frame, 4);
		len = ntohl(len);
		if (len > 256 || receive_all(fd, frame + 4, len, BLOCKING))
			return;
		make_upper(frame + 4, len);
		if (send_all(fd, frame, 4 + len, BLOCKING))
			return;
	}
}

/* How much came until the end, and what it adds up to. */
static void serve_count(int fd)
{
	char data[4096], line[64];
	size_t total = 0;
	unsigned sum = 0;
	ssize_t n;

	while ((n = receive(fd, data, sizeof data, BLOCKING)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)data[i];
		total += n;
	}
	n = snprintf(line, sizeof line, "%zu bytes, sum %08x\n", total, sum);
	send_all(fd, line, n, BLOCKING);
}

/* For a line, a text that a full stop ends. */
static void serve_text(int fd)
{
	char line[64], text[4096];
	int len = 0;

	if (receive_line(fd, line, sizeof line))
		return;
	for (int i = 1; i <= 100; i++)
		len += sprintf(text + len, "line %d of 100\n", i);
	len += sprintf(text + len, ".\n");
	send_all(fd, text, len, BLOCKING);
}

/* What time it is, always the same. */
static void serve_time(int fd)
{
	static const char stamp[] = "Sat Jan  1 12:34:56 2000\n";

	send_all(fd, stamp, strlen(stamp), BLOCKING);
}

/* in: where it listens now. */
static int bound(int port, struct sockaddr_in *in)
{
	socklen_t len = sizeof *in;
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	*in = here(port);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
	    bind(fd, (struct sockaddr *)in, sizeof *in) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)in, &len))
		err(1, "cannot listen");
	return fd;
}

static void print_port(const struct sockaddr_in *in)
{
	printf("%d\n", ntohs(in->sin_port));
	fflush(stdout);
}

static void serve_clients(int port, void (*serve)(int fd))
{
	struct sockaddr_in in;
	int listener = bound(port, &in);

	print_port(&in);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		serve(fd);
		close(fd);
	}
}

/*
 * Datagrams: back in capitals.  The listener on the port of that number is
 * for who finds servers by their listen; nobody accepts.
 */
static void serve_datagrams(int port)
{
	struct sockaddr_in in;
	socklen_t len = sizeof in;
	int listener, fd = socket(AF_INET, SOCK_DGRAM, 0);
	char data[512];

	for (;;) {
		listener = bound(port, &in);
		if (!bind(fd, (struct sockaddr *)&in, sizeof in))
			break;
		if (port || errno != EADDRINUSE)
			err(1, "bind");
		close(listener);
	}
	print_port(&in);
	for (;;) {
		ssize_t n = recvfrom(fd, data, sizeof data, 0,
				     (struct sockaddr *)&in, &len);
		if (n < 0)
			continue;	/* of an answer that nobody took */
		make_upper(data, n);
		sendto(fd, data, n, 0, (struct sockaddr *)&in, len);
	}
}

/* Clients. */

/* A small room for what is received: a long answer cannot all be on its way. */
static int connected(int port)
{
	struct sockaddr_in in = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), room = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) ||
	    connect(fd, (struct sockaddr *)&in, sizeof in))
		err(1, "cannot connect");
	return fd;
}

/* A line, and the line that answers it. */
static void ask_line(int fd, const char *question)
{
	char line[512];
	int len = snprintf(line, sizeof line, "%s\n", question);

	if (send_all(fd, line, len, BLOCKING) ||
	    receive_line(fd, line, sizeof line))
		err(1, "no answer to \"%s\"", question);
	fputs(line, stdout);
}

static void ask(int port, char **lines)
{
	int fd = connected(port);

	while (*lines)
		ask_line(fd, *lines++);
	close(fd);
}

/* All lines and an empty one at once, then what comes until the end. */
static void get(int port, char **lines)
{
	char data[4096], end = '\0';
	int fd = connected(port), len = 0;
	ssize_t n;

	for (; *lines; lines++)
		len += snprintf(data + len, sizeof data - len, "%s\r\n%s",
				*lines, lines[1] ? "" : "\r\n");
	if (send_all(fd, data, len, BLOCKING))
		err(1, "send");
	while ((n = receive(fd, data, sizeof data, BLOCKING)) > 0) {
		fwrite(data, 1, n, stdout);
		end = data[n - 1];
	}
	if (n < 0)
		err(1, "the answer was cut");
	if (end != '\n')
		errx(1, "the answer was not complete");
	close(fd);
}

/*
 * While one client is served, another comes who never says a word.  The
 * first one gives up after half a second then.
 */
static void ask_beside(int port, char **lines)
{
	int first = connected(port), second;

	ask_line(first, lines[0]);
	second = connected(port);
	ualarm(500000, 0);
	ask_line(first, lines[1]);
	close(second);
	close(first);
}

static const struct {
	const char *name;
	void (*serve)(int fd);
	void (*ask)(int port, char **lines);
} modes[] = {
	{ .name = "frames", .serve = serve_frames },
	{ .name = "count", .serve = serve_count },
	{ .name = "text", .serve = serve_text },
	{ .name = "time", .serve = serve_time },
	{ .name = "ask", .ask = ask },
	{ .name = "get", .ask = get },
	{ .name = "beside", .ask = ask_beside },
};

static void give_up(int sig)
{
	static const char text[] = "mate: no answer in time\n";

	(void)sig;
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(2);
	_exit(1);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int port = argc > 2 ? atoi(argv[2]) : 0;

	if (!strcmp(mode, "datagrams"))
		serve_datagrams(port);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(mode, modes[i].name))
			continue;
		if (modes[i].serve)
			serve_clients(port, modes[i].serve);
		setvbuf(stdout, NULL, _IOLBF, 0);
		signal(SIGALRM, give_up);
		alarm(2);
		modes[i].ask(port, argv + 3);
		return fflush(stdout) ? 1 : 0;
	}
	errx(2, "what is \"%s\"? There are frames, count, text, time, "
	     "datagrams, ask, get and beside", mode);
}
