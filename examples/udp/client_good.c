/* SPDX-License-Identifier: MIT */
/*
 * client.c, with a number in each question, which its answer repeats: what
 * is lost is asked again, and what comes late is known as that.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "word client: %s: %s\n", what, strerror(errno));
	return -1;
}

/* 0 when it can go on, -1 when it cannot for a second. */
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

static int send_datagram(int fd, const char *data, size_t len)
{
	while (send(fd, data, len, 0) < 0)
		if (errno == EAGAIN ? await(fd, POLLOUT) : errno != EINTR)
			return -1;
	return 0;
}

/* As a string; one whose end has been cut off is an error. */
static int receive_datagram(int fd, char *data, size_t size)
{
	ssize_t n;

	while ((n = recv(fd, data, size, MSG_TRUNC)) < 0)
		if (errno == EAGAIN ? await(fd, POLLIN) : errno != EINTR)
			return -1;
	errno = EMSGSIZE;
	if (n >= (ssize_t)size)
		return -1;
	data[n] = '\0';
	return 0;
}

/*
 * The repair: errors are looked at.  ECONNREFUSED, which is about an earlier
 * datagram, and silence are reasons to ask again, but not for ever.
 */
static int ask(int fd, int number, const char *word)
{
	char question[64], answer[64];
	int len = snprintf(question, sizeof question, "%d %s", number, word);
	int head = len - strlen(word), error;

	for (int tries = 0; tries < 4; tries++) {
		error = send_datagram(fd, question, len);
		while (!error) {
			error = receive_datagram(fd, answer, sizeof answer);
			if (error || strncmp(answer, question, head))
				continue;	/* of an earlier question */
			printf("%s: %s\n", word, answer + head);
			return 0;
		}
		if (errno != ECONNREFUSED && errno != ETIMEDOUT)
			break;
	}
	return fail("no answer");
}

static int ask_all(int fd, int port)
{
	static const char *const words[] = { "alpha", "bravo", "delta" };
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	if (connect(fd, (struct sockaddr *)&in, sizeof in))
		return fail("connect");
	for (int i = 0; i < 3; i++)
		if (ask(fd, i + 1, words[i]))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return -fail("socket");
	status = ask_all(fd, argc > 1 ? atoi(argv[1]) : 0);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
