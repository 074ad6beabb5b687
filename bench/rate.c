/* SPDX-License-Identifier: MIT */
/*
 * Bytes a second through a TCP connection of our own: rate WHAT HOW BYTES MS.
 * WHAT is recv or send: that end is measured, in HOW it is done: block, or edge
 * (epoll, EPOLLET).  A thread at the other end moves all it can.  The first
 * quarter of BYTES does not count, as some may go at once; it ends after BYTES,
 * or after MS.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>

enum { BUFFER = 65536, FEW = 4096 };

static int ends[2];
static bool sends;
static size_t piece = BUFFER;		/* of one call */

/* The other end. */
static void *other(void *arg)
{
	static char bytes[BUFFER];
	ssize_t n;

	do
		n = sends ? recv(ends[1], bytes, BUFFER, 0)
			  : send(ends[1], bytes, BUFFER, MSG_NOSIGNAL);
	while (n > 0);
	return arg;
}

static ssize_t some(void)
{
	static char bytes[BUFFER];

	return sends ? send(ends[0], bytes, piece, 0)
		     : recv(ends[0], bytes, piece, 0);
}

int main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int64_t start, end, lasts;
	long bytes = 0, before = 0, most;
	pthread_t thread;
	bool edge;
	int epoll;

	if (argc != 5)
		return 2;
	sends = !strcmp(argv[1], "send");
	edge = !strcmp(argv[2], "edge");
	most = atol(argv[3]);
	lasts = atol(argv[4]) * (SECOND / 1000);
	if (most < 8 * BUFFER)
		piece = FEW;
	alarm(30);
	tcp_pair(ends, "127.0.0.1");
	epoll = epoll_create1(0);
	if (edge) {
		ev.events = EPOLLET | (sends ? EPOLLOUT : EPOLLIN);
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		need(!epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &ev),
		     "epoll_ctl");
	}
	need(!pthread_create(&thread, NULL, other, NULL), "thread");
	start = end = now();
	while (bytes < most && end - start < lasts) {
		ssize_t n = some();
		if (n < 0 && errno == EAGAIN)
			need(epoll_wait(epoll, &ev, 1, -1) == 1, "wait");
		else
			need(n > 0, argv[1]);
		bytes += n > 0 ? n : 0;
		end = now();
		if (!before && bytes >= most / 4) {
			before = bytes;
			start = end;
		}
	}
	printf("%.0f\n", (bytes - before) * 1e9 / (end - start));
	return 0;
}
