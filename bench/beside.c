/* SPDX-License-Identifier: MIT */
/*
 * Connections that serve each other in one epoll loop, beside one that rules
 * may hold up: beside MS [CONNS].  Each of CONNS pairs of TCP sockets sends a
 * kilobyte back and forth, in one thread, so that what the loop costs is what
 * is measured.  One more, whose peer is 127.0.0.2, is sent a kilobyte now and
 * then, which is little beside theirs.
 *
 * Prints messages a second of the CONNS, and how many the other one got.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

enum { SIZE = 1024, MOST = 1000 };

static int epoll, beside[2];
static long moved, received;		/* messages; bytes of the one beside */

static void watch(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	fcntl(fd, F_SETFL, O_NONBLOCK);
	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev), "epoll_ctl");
}

static void add_pair(int ends[2], const char *address)
{
	tcp_pair(ends, address);
	watch(ends[0]);
	watch(ends[1]);
}

static void answer(int fd)
{
	char bytes[SIZE];
	ssize_t n = recv(fd, bytes, SIZE, 0);

	if (fd == beside[0]) {
		received += n > 0 ? n : 0;
		return;
	}
	need(n > 0 && send(fd, bytes, n, 0) == n, "message");
	moved++;
}

int main(int argc, char **argv)
{
	int64_t lasts = (argc > 1 ? atol(argv[1]) : 300) * (SECOND / 1000);
	int conns = argc > 2 ? atoi(argv[2]) : 8;
	char bytes[SIZE] = { 0 };
	struct epoll_event ev[64];
	int64_t start, end;
	int ends[2];

	if (lasts <= 0 || conns < 1 || conns > MOST)
		return 2;
	alarm(30);
	room_for(2 * conns + 2);
	epoll = epoll_create1(0);
	add_pair(beside, "127.0.0.2");
	for (int i = 0; i < conns; i++) {
		add_pair(ends, "127.0.0.1");
		need(send(ends[1], bytes, SIZE, 0) == SIZE, "send");
	}
	start = end = now();
	for (int wakes = 0; end - start < lasts; wakes++) {
		int n = epoll_wait(epoll, ev, 64, -1);
		for (int i = 0; i < n; i++)
			answer(ev[i].data.fd);
		if (wakes % 256)
			continue;
		end = now();
		need(send(beside[1], bytes, SIZE, 0) > 0 || errno == EAGAIN,
		     "send");
	}
	printf("%.0f %ld\n", moved * 1e9 / (end - start), received / SIZE);
	return 0;
}
