/* SPDX-License-Identifier: MIT */
/*
 * client.c, with a number in each question, which its answer repeats: what
 * is lost is asked again, and what comes late is known as that.
 */
#include "../good.h"

const char program[] = "word client";

static int send_datagram(int fd, const char *data, size_t len)
{
	while (send(fd, data, len, 0) < 0)
		if (!again(fd, POLLOUT, SECOND))
			return -1;
	return 0;
}

/* As a string; one whose end has been cut off is an error. */
static int receive_datagram(int fd, char *data, size_t size)
{
	ssize_t n;

	while ((n = recv(fd, data, size, MSG_TRUNC)) < 0)
		if (!again(fd, POLLIN, SECOND))
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
	struct sockaddr_in to = here(port);

	if (connect(fd, (struct sockaddr *)&to, sizeof to))
		return fail("connect");
	for (int i = 0; i < 3; i++)
		if (ask(fd, i + 1, words[i]))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), status;

	if (fd < 0)
		return fail("socket");
	status = ask_all(fd, argc > 1 ? atoi(argv[1]) : 0);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
