/* SPDX-License-Identifier: MIT */
/*
 * The time of one call, in ns: cost CALL [SOCKETS].  The median of batches,
 * so that a neighbour's noise counts little.  CALL: recv (EAGAIN on an empty
 * TCP socket), read (0 bytes of a plain file), epoll (epoll_wait that finds one
 * socket with room to send).
 * SOCKETS more are opened first, to see that their number does not matter.
 */
#include "bench.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#define BATCHES 200
#define BATCH 2000
#define LONGEST 4e8			/* ns for all batches */

static int more_sockets(long n)
{
	room_for(n);
	for (long i = 0; i < n; i++)
		if (socket(AF_INET, SOCK_DGRAM, 0) < 0) {
			perror("socket");
			return -1;
		}
	return 0;
}

static int watched(int fd)
{
	struct epoll_event ev = { .events = EPOLLOUT };
	int ep = epoll_create1(0);

	need(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
	return ep;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "recv";
	int file = open("/proc/self/exe", O_RDONLY);
	struct epoll_event ev;
	double t[BATCHES];
	int64_t first;
	int b, fd, ep, ends[2];
	char c;

	if (argc > 2 && more_sockets(atol(argv[2])))
		return 1;
	tcp_pair(ends, "127.0.0.1");
	fd = ends[0];
	ep = watched(fd);
	first = now();
	for (b = 0; b < BATCHES && (b < 3 || now() - first < LONGEST); b++) {
		int64_t begin = now();
		if (!strcmp(what, "recv")) {
			for (int i = 0; i < BATCH; i++)
				if (recv(fd, &c, 1, MSG_DONTWAIT) != -1)
					return 1;
		} else if (!strcmp(what, "read")) {
			for (int i = 0; i < BATCH; i++)
				if (read(file, &c, 0))
					return 1;
		} else if (!strcmp(what, "epoll")) {
			for (int i = 0; i < BATCH; i++)
				if (epoll_wait(ep, &ev, 1, -1) != 1)
					return 1;
		} else {
			return 2;
		}
		t[b] = (double)(now() - begin) / BATCH;
	}
	qsort(t, b, sizeof *t, by_size);
	printf("%.1f\n", t[b / 2]);
	return 0;
}
