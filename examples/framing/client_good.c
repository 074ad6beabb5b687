/* SPDX-License-Identifier: MIT */
/* client.c, for which the stream has no pieces. */
#include <stdint.h>
#include "../good.h"

const char program[] = "framing client";

/* The repair: as many bytes as were promised, in however many pieces. */
static int receive_promised(int fd, char *data, size_t len)
{
	while (len) {
		ssize_t n = recv(fd, data, len, 0);
		if (n > 0) {
			data += n;
			len -= n;
		} else if (!n) {
			errno = ECONNRESET;	/* ended in the middle */
			return -1;
		} else if (!again(fd, POLLIN, SECOND)) {
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
	if (send_all(fd, message, 4 + strlen(word), SECOND))
		return fail("send");
	if (receive_promised(fd, (char *)&len, 4))
		return fail("length of the answer");
	len = ntohl(len);
	errno = EMSGSIZE;
	if (len > sizeof message || receive_promised(fd, message, len))
		return fail("answer");
	printf("%s: %.*s\n", word, (int)len, message);
	return 0;
}

static int ask_all(int fd)
{
	static const char *const words[] = { "stream", "record", "packet" };

	for (size_t i = 0; i < 3; i++)
		if (ask(fd, words[i]))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	int fd = dial(argc > 1 ? atoi(argv[1]) : 0, SECOND), status;

	if (fd < 0)
		return 1;
	status = ask_all(fd);
	status |= close_end(fd);
	return fflush(stdout) ? fail("standard output") : status;
}
