/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own version of what the rules of the examples do: peers with
 * whom it really happens.
 *
 *   mishap reset N      waits for a line, sends N bytes, and resets
 *   mishap eof N        ... and ends
 *   mishap silence N    ... and never says anything again
 *   mishap refuse       keeps a port on which nobody listens
 *   mishap full         keeps a port whose queue is full: SYNs are dropped
 *   mishap slam PORT    a client that resets at once
 *
 * All but slam print their port on 127.0.0.1 first.
 */
#include <err.h>
#include "../good.h"

/* A socket with a port; queue < 0: it does not listen. */
static int bound(struct sockaddr_in *in, int queue)
{
	socklen_t len = sizeof *in;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*in = here(0);
	if (fd < 0 || bind(fd, (struct sockaddr *)in, len) ||
	    (queue >= 0 && listen(fd, queue)) ||
	    getsockname(fd, (struct sockaddr *)in, &len))
		err(1, "no port");
	return fd;
}

static void print_port(const struct sockaddr_in *in)
{
	printf("%d\n", ntohs(in->sin_port));
	fflush(stdout);
}

/* With SO_LINGER and no time to linger a close is a reset. */
static void reset(int fd)
{
	struct linger none = { .l_onoff = 1 };

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none))
		err(1, "SO_LINGER");
	close(fd);
}

/* A line, and that much text at once. */
static int converse(int listener, size_t len)
{
	int fd = accept(listener, NULL, NULL);
	char c, *text = malloc(len + 1);

	if (fd < 0 || !text)
		err(1, "no client");
	memset(text, '.', len);
	do {
		if (recv(fd, &c, 1, 0) != 1)
			errx(1, "no line");
	} while (c != '\n');
	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send");
	free(text);
	return fd;
}

/* One client, with whom it goes as `how' says. */
static void serve(const char *how, size_t len)
{
	struct sockaddr_in in;
	int listener = bound(&in, 5), fd;

	print_port(&in);
	fd = converse(listener, len);
	if (!strcmp(how, "reset"))
		reset(fd);
	else if (!strcmp(how, "eof"))
		close(fd);
	pause();
}

static void refuse(void)
{
	struct sockaddr_in in;

	bound(&in, -1);
	print_port(&in);
	pause();
}

static void full(void)
{
	struct sockaddr_in in;
	int i;

	bound(&in, 0);
	/* a backlog of 0 has room for one; nobody will accept it */
	for (i = 0; i < 2; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(fd, (struct sockaddr *)&in, sizeof in);
	}
	print_port(&in);
	pause();
}

static void slam(int port)
{
	struct sockaddr_in in = here(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		err(1, "connect");
	reset(fd);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : 0;

	if (!strcmp(how, "reset") || !strcmp(how, "eof") ||
	    !strcmp(how, "silence"))
		serve(how, number);
	else if (!strcmp(how, "refuse"))
		refuse();
	else if (!strcmp(how, "full"))
		full();
	else if (!strcmp(how, "slam"))
		slam(number);
	else
		errx(2, "usage: mishap reset|eof|silence N\n"
		     "       mishap refuse|full\n"
		     "       mishap slam PORT");
	return 0;
}
