/* SPDX-License-Identifier: MIT */
/* server.c, which closes however the conversation ends. */
#include <ctype.h>
#include "../good.h"

const char program[] = "capitals server";

/* Its length, 0 where the client has ended, or -1. */
static int receive_line(int fd, char *line, int size)
{
	int len = 0;

	do {
		ssize_t n = receive(fd, line + len, 1, SECOND);
		if (n <= 0)
			return n;
	} while (line[len++] != '\n' && len < size - 1);
	line[len] = '\0';
	return len;
}

static void talk(int fd)
{
	char line[512];
	int len;

	while ((len = receive_line(fd, line, sizeof line)) > 0) {
		for (int i = 0; i < len; i++)
			line[i] = toupper((unsigned char)line[i]);
		if (send_all(fd, line, len, SECOND)) {
			fail("send");
			return;
		}
		if (!strcmp(line, "QUIT\n"))
			return;
	}
	if (len < 0)
		fail("recv");
}

/* The repair: the close belongs to the accept, whatever is between them. */
static void serve(int fd)
{
	talk(fd);
	if (close(fd) && errno != EINTR)
		fail("close");
}

int main(int argc, char **argv)
{
	int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0);

	if (listener < 0)
		return 1;
	for (;;)
		serve(next_client(listener));
}
