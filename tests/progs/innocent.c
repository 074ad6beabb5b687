/* SPDX-License-Identifier: MIT */
/*
 * Programs that do nothing wrong where it might look so:
 *
 *	innocent CASE [PORT]
 *
 * Clients of `peer answer 400` on PORT, and servers that echo a line.  What
 * each of them does is said above it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER 404			/* bytes: a line, and what it announces */

static int port;

static struct sockaddr_in address(const char *name)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port) };

	inet_pton(AF_INET, name, &a.sin_addr);
	return a;
}

static void pause_for(int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	select(0, NULL, NULL, NULL, &t);
}

/* ---- clients ------------------------------------------------------------- */

static int pace;			/* ms after each piece */
static bool waits;			/* poll says when to go on */
static bool trusts;			/* send takes all */
static const char *question = "\n";

/* MSG_DONTWAIT once poll has told of it, or 0. */
static int told(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (!waits)
		return 0;
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	return MSG_DONTWAIT;
}

static int receive(int fd, char *to, int size)
{
	int n = recv(fd, to, size, told(fd, POLLIN));

	if (n < 0 && waits)
		perror("recv");
	return n;
}

static bool sent(int fd, const char *line)
{
	ssize_t len = strlen(line);
	ssize_t n = send(fd, line, len, MSG_NOSIGNAL | told(fd, POLLOUT));

	if (n < 0 && waits)
		perror("send");
	return n == len || (n > 0 && trusts);
}

/* Bytes of the answer, or -1: errno says why there is no connection. */
static int ask(void)
{
	struct sockaddr_in to = address("127.0.0.1");
	int fd = socket(AF_INET, SOCK_STREAM, 0), got = 0, n = -1;
	char data[ANSWER];

	if (fd < 0)
		return -1;
	if (!connect(fd, (void *)&to, sizeof to) &&
	    sent(fd, question))
		for (; got < ANSWER; got += n) {
			n = receive(fd, data + got, ANSWER - got);
			if (n <= 0)
				break;
			if (pace)
				pause_for(pace);
		}
	else
		got = -1;
	n = errno;
	close(fd);
	errno = n;
	return got;
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* It prints how long that took, in units that fit. */
static int measures(void)
{
	double begun = now_us(), took;
	int n = ask();

	if (n != ANSWER)
		return 1;
	took = now_us() - begun;
	printf("%d bytes in %6.2f %ss\n", n, took < 1000 ? took : took / 1000,
	       took < 1000 ? "u" : "m");
	return 0;
}

/* Its report is what it prints, and being told of a failure is success. */
static int reports(void)
{
	int n = ask();

	if (n < 0)
		printf("could not connect (%s)\n", strerror(errno));
	else if (n < ANSWER)
		printf("the server stopped halfway\n");
	else
		printf("all is well\n");
	return 0;
}

/* It tries again in half a minute. */
static int tries_again(void)
{
	while (ask() != ANSWER)
		pause_for(30000);
	puts("done");
	return 0;
}

/* A little at a time is as little as it is given. */
static int takes_its_time(void)
{
	pace = 20;
	if (ask() != ANSWER)
		return 1;
	puts("done");
	return 0;
}

/* What could not be sent is asked for again, in other words. */
static int asks_anew(void)
{
	int n;

	question = "please\n";
	n = ask();
	question = "\n";
	if (n < 0)
		n = ask();
	if (n != ANSWER)
		return 1;
	puts("done");
	return 0;
}

/* What poll has told of a stream is there, and so is room. */
static int trusts_poll(void)
{
	waits = true;
	if (ask() != ANSWER)
		return 1;
	puts("done");
	return 0;
}

/* A few bytes, and the first ones: they are sent whole. */
static int sends_once(void)
{
	trusts = true;
	question = "please\n";
	if (ask() != ANSWER)
		return 1;
	puts("done");
	return 0;
}

/* ---- servers ------------------------------------------------------------- */

static int listener(const char *name)
{
	struct sockaddr_in at = address(name);
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (void *)&at, len) || listen(fd, 10)) {
		fprintf(stderr, "%s: no listener: %s\n", name,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	getsockname(fd, (void *)&at, &len);
	port = ntohs(at.sin_port);
	return fd;
}

/* One client, whole. */
static void echo(int fd)
{
	char data[512];
	ssize_t n;

	while ((n = recv(fd, data, sizeof data, 0)) > 0)
		for (ssize_t i = 0, done; i < n; i += done) {
			done = send(fd, data + i, n - i, MSG_NOSIGNAL);
			if (done < 0)
				break;
		}
	close(fd);
}

static void wait_for(struct pollfd *p, int n)
{
	while (poll(p, n, -1) < 0 && errno == EINTR)
		;
}

/* Without a descriptor it gives one up, to send the client away with it. */
static int sends_away(void)
{
	struct pollfd p = { listener("127.0.0.1"), POLLIN, 0 };
	int spare = open("/dev/null", O_RDONLY), fd;

	while (p.fd >= 0) {
		wait_for(&p, 1);
		fd = accept(p.fd, NULL, NULL);
		if (fd >= 0) {
			echo(fd);
		} else if (errno == EMFILE || errno == ENFILE) {
			close(spare);
			fd = accept(p.fd, NULL, NULL);
			if (fd >= 0)
				close(fd);
			else
				pause_for(100);
			spare = open("/dev/null", O_RDONLY);
		}
	}
	return 1;
}

/* One of its two addresses is enough to go on with; it says so. */
static int goes_on_with_one(void)
{
	struct pollfd p[2] = {
		{ listener("127.0.0.1"), POLLIN, 0 },
		{ listener("127.0.0.2"), POLLIN, 0 },
	};

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		wait_for(p, 2);
		for (int i = 0; i < 2; i++) {
			int fd = p[i].revents ? accept(p[i].fd, NULL, NULL)
					      : -1;
			if (fd >= 0)
				echo(fd);
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} cases[] = {
#define CASE(name) { #name, name }
		CASE(measures), CASE(reports), CASE(tries_again),
		CASE(takes_its_time), CASE(asks_anew), CASE(trusts_poll), CASE(sends_once),
		CASE(sends_away), CASE(goes_on_with_one),
#undef CASE
	};

	port = argc > 2 ? atoi(argv[2]) : 0;
	for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
		if (!strcmp(argv[1], cases[i].name))
			return cases[i].run();
	return 2;
}
