/* SPDX-License-Identifier: MIT */
/*
 * audited CASE bad|good [PORT]: programs that have one fault each, and their
 * good twins.  A server prints its port.  audited serve: the clients' peer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY = 600 };

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail("send");
		data += n;
		len -= n;
	}
}

/* Until its end, or size bytes. */
static size_t receive(int fd, char *data, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size && (n = recv(fd, data + got, size - got, 0))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			fail("recv");
		got += n;
	}
	return got;
}

/* ---- clients ------------------------------------------------------------ */

static int dial(int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	if (fd < 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&in, sizeof in))
		fail("connect");
	return fd;
}

/* fd-setsize: a set has room for 1024 descriptors. */
static void setsize(bool good, int port)
{
	struct { fd_set set; const char *name; } in = { .name = "answer" };
	int fd = dial(port);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char data[BODY];
	size_t n;

	send_all(fd, "GET\n", 4);
	if (good) {
		while (poll(&p, 1, -1) < 0 && errno == EINTR)
			;
	} else {
		do {
			FD_ZERO(&in.set);
			FD_SET(fd, &in.set);
		} while (select(fd + 1, &in.set, NULL, NULL, NULL) < 0 &&
			 errno == EINTR);
	}
	n = receive(fd, data, sizeof data);
	printf("%s: %zu bytes\n", in.name, n);
	if (n < sizeof data) {
		fprintf(stderr, "the answer was cut\n");
		exit(1);
	}
	close(fd);
}

/* truncated-accepted: the head says how long the body is. */
static void truncated(bool good, int port)
{
	char data[BODY + 100], *body;
	int fd = dial(port), head;
	size_t n;

	send_all(fd, "HEAD\n", 5);
	n = receive(fd, data, sizeof data - 1);
	data[n] = 0;
	body = strchr(data, '\n');
	head = body ? body + 1 - data : 0;
	if (good && (!head || n - head != (size_t)atoi(data + 16))) {
		fprintf(stderr, "the answer was cut\n");
		exit(1);
	}
	printf("%s\n", data + head);
	close(fd);
}

/* crash: a stream that was cut has no mark of its end. */
static void crash(bool good, int port)
{
	char data[BODY + 1], *mark;
	int fd = dial(port);

	send_all(fd, "GET\n", 4);
	data[receive(fd, data, sizeof data - 1)] = 0;
	mark = strchr(data, '.');
	if (good && !mark) {
		fprintf(stderr, "the answer was cut\n");
		exit(1);
	}
	*mark = 0;
	printf("%zu bytes\n", strlen(data));
	close(fd);
}

/* short-write-lost: all of it again is not the rest of it. */
static void resend(bool good, int port)
{
	static const char record[] = "a record of thirty-three letters\n";
	int fd = dial(port);
	char data[BODY];

	send_all(fd, "hello, ", 7);
	if (good) {
		send_all(fd, record, sizeof record - 1);
	} else {
		for (int i = 0; i < 10; i++) {
			ssize_t n = send(fd, record, sizeof record - 1,
					 MSG_NOSIGNAL);
			if (n < 0 && errno != EINTR)
				fail("send");
			if (n == sizeof record - 1)
				break;
		}
	}
	if (receive(fd, data, sizeof data) < sizeof data) {
		fprintf(stderr, "the answer was cut\n");
		exit(1);
	}
	puts("answered");
	close(fd);
}

/* ---- servers ------------------------------------------------------------ */

static int listener(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) ||
	    listen(fd, 16))
		fail("listen");
	getsockname(fd, (struct sockaddr *)&in, &len);
	printf("%d\n", ntohs(in.sin_port));
	fflush(stdout);
	return fd;
}

/* A line, and its answer; 0: the connection is gone. */
static int answer(int fd)
{
	char data[BODY], line[80];
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, line + n, 1, 0);
		if (got < 0 && errno == EINTR)
			got = 1, n--;
		else if (got <= 0)
			return 0;
	} while (line[n++] != '\n' && n < sizeof line);
	memset(data, 'x', sizeof data - 1);
	data[sizeof data - 1] = '.';
	if (!strncmp(line, "HEAD", 4)) {
		int len = sprintf(line, "Content-Length: %d\n", BODY);
		if (send(fd, line, len, MSG_NOSIGNAL) < 0)
			return 0;
	}
	for (n = 0; n < sizeof data; n += got) {
		got = send(fd, data + n, sizeof data - n, MSG_NOSIGNAL);
		if (got < 0 && errno == EINTR)
			got = 0;
		else if (got < 0)
			return 0;
	}
	shutdown(fd, SHUT_WR);
	while (recv(fd, line, sizeof line, 0) > 0)
		;
	return 1;
}

/* accept, but for what passes by itself. */
static int accept_next(int fd)
{
	int conn;

	do
		conn = accept(fd, NULL, NULL);
	while (conn < 0 && (errno == EINTR || errno == ECONNABORTED));
	return conn;
}

static void serve(void)
{
	int fd = listener();

	for (;;) {
		int conn = accept_next(fd);
		if (conn < 0) {
			usleep(20000);
			continue;
		}
		answer(conn);
		close(conn);
	}
}

/* server-died: a client that goes takes the server with it. */
static void died(bool good)
{
	int fd = listener();

	for (;;) {
		int conn = accept_next(fd);
		if (conn < 0) {
			usleep(20000);
			continue;
		}
		if (!answer(conn) && !good)
			fail("client");
		close(conn);
	}
}

/* log-flood: a page of text for each attempt. */
static void flood(bool good)
{
	static char page[100000];
	int fd = listener();
	bool told = false;

	memset(page, '.', sizeof page);
	for (;;) {
		int conn = accept_next(fd);
		if (conn < 0) {
			if (!good)
				fwrite(page, 1, sizeof page, stderr);
			else if (!told)
				perror("accept");
			told = true;
			usleep(20000);
			continue;
		}
		answer(conn);
		close(conn);
	}
}

int main(int argc, char **argv)
{
	bool good = argc > 2 && !strcmp(argv[2], "good");
	int port = argc > 3 ? atoi(argv[3]) : 0;

	if (argc > 1 && !strcmp(argv[1], "serve"))
		serve();
	else if (argc > 1 && !strcmp(argv[1], "died"))
		died(good);
	else if (argc > 1 && !strcmp(argv[1], "flood"))
		flood(good);
	else if (argc > 1 && !strcmp(argv[1], "crash"))
		crash(good, port);
	else if (argc > 1 && !strcmp(argv[1], "setsize"))
		setsize(good, port);
	else if (argc > 1 && !strcmp(argv[1], "truncated"))
		truncated(good, port);
	else if (argc > 1 && !strcmp(argv[1], "resend"))
		resend(good, port);
	else
		return 2;
	return 0;
}
