/* SPDX-License-Identifier: MIT */
/* client.c, for which the stream has no pieces. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "framing client: %s: %s\n", what, strerror(errno));
	return -1;
}

/* 0 when it can go on, -1 when it cannot within a second. */
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

static int connect_to(int fd, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int error;
	socklen_t len = sizeof error;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(port);
	if (!connect(fd, (struct sockaddr *)&in, sizeof in))
		return 0;
	if ((errno != EINPROGRESS && errno != EINTR) || await(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -1;
	errno = error;
	return error ? -1 : 0;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n >= 0) {
			data += n;
			len -= n;
		} else if (errno == EAGAIN ? await(fd, POLLOUT) :
					     errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* The repair: as many bytes as were promised, in however many pieces. */
static int receive_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, data, len, 0);
		if (n > 0) {
			data += n;
			len -= n;
		} else if (!n) {
			errno = ECONNRESET;	/* ended in the middle */
			return -1;
		} else if (errno == EAGAIN ? await(fd, POLLIN) :
					     errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

static int ask(int fd, const char *word)
{
	uint32_t len = htonl(strlen(word));
	char message[4 + 256] = "";

	memcpy(message, &len, 4);
	memcpy(message + 4, word, strlen(word));
	if (send_all(fd, message, 4 + strlen(word)))
		return fail("send");
	if (receive_all(fd, (char *)&len, 4))
		return fail("length of the answer");
	len = ntohl(len);
	errno = EMSGSIZE;
	if (len > sizeof message || receive_all(fd, message, len))
		return fail("answer");
	printf("%s: %.*s\n", word, (int)len, message);
	return 0;
}

static int ask_all(int fd)
{
	static const char *const words[] = { "stream", "record", "packet" };

	for (size_t i = 0; i < 3; i++)
		if (ask(fd, words[i]))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return -fail("socket");
	if (connect_to(fd, argc > 1 ? atoi(argv[1]) : 0))
		status = fail("connect");
	else
		status = ask_all(fd);
	if (close(fd) && errno != EINTR)
		status = fail("close");
	if (fflush(stdout))
		status = fail("standard output");
	return -status;
}
