/* SPDX-License-Identifier: MIT */
/* The echo client with its errors handled; client.c says what was wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "echo client: %s: %s\n", what, strerror(errno));
	return 1;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* As many bytes as were sent come back, in as many pieces as TCP likes. */
static int receive_all(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, data, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			errno = ECONNRESET;	/* ended in mid-line */
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char line[512];

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(argc > 1 ? atoi(argv[1]) : 7);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in))
		return fail("connect");
	while (fgets(line, sizeof line, stdin)) {
		size_t len = strlen(line);
		if (send_all(fd, line, len))
			return fail("send");
		if (receive_all(fd, line, len))
			return fail("receive");
		if (fwrite(line, 1, len, stdout) != len || fflush(stdout))
			return fail("standard output");
	}
	return 0;
}
