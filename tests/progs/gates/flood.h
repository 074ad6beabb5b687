/* SPDX-License-Identifier: MIT */
/*
 * A careful writer and a careful reader, edge-triggered: each waits only after
 * EAGAIN or a short count, which on a stream means as much (epoll(7)).
 */

static int careful[2];
static uint64_t flood_bytes;

/* byte_at: of the stream; a lost or doubled one shows. */
static unsigned char byte_at(uint64_t at)
{
	return (at * 2654435761u) >> 13;
}

/* wait_for_edge: true when nothing more will come. */
static bool wait_for_edge(int set)
{
	struct epoll_event e;

	while (epoll_wait(set, &e, 1, -1) < 0)
		if (errno != EINTR)
			abort();
	return e.events & EPOLLRDHUP;
}

static int edge_set(int fd, unsigned events)
{
	int set = new_set();

	watch(set, fd, events | EPOLLET, 1);
	return set;
}

static void *flood_write(void *unused)
{
	int set = edge_set(careful[0], POLLOUT);
	static unsigned char data[16384];
	uint64_t out = 0;

	while (out < flood_bytes) {
		size_t len = flood_bytes - out < sizeof data ?
			     flood_bytes - out : sizeof data;
		ssize_t n;

		for (size_t i = 0; i < len; i++)
			data[i] = byte_at(out + i);
		n = send(careful[0], data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			abort();
		if (n > 0)
			out += n;
		if (n < (ssize_t)len)
			wait_for_edge(set);
	}
	shutdown(careful[0], SHUT_WR);
	return unused;
}

/* flood: prints how many bytes have come, and whether they are the right. */
static int flood(const char *bytes)
{
	static unsigned char data[16384];
	uint64_t in = 0, wrong = 0;
	pthread_t t;
	bool ended = false;
	ssize_t n;
	int set;

	flood_bytes = strtoull(bytes, NULL, 0);
	alarm(30 + flood_bytes / 500000);
	make_pair(false);
	careful[0] = s.peer;
	careful[1] = FD;
	blocking(s.peer, false);
	blocking(FD, false);
	set = edge_set(FD, POLLIN | POLLRDHUP);
	if (pthread_create(&t, NULL, flood_write, NULL))
		abort();
	while ((n = recv(FD, data, sizeof data, 0)) != 0) {
		if (n < 0 && errno != EAGAIN)
			abort();
		for (ssize_t i = 0; i < n; i++)
			wrong += data[i] != byte_at(in + i);
		if (n > 0)
			in += n;
		if (n < (ssize_t)sizeof data && !(ended && n > 0))
			ended |= wait_for_edge(set);
	}
	pthread_join(t, NULL);
	printf("%llu bytes, %llu wrong\n", (unsigned long long)in,
	       (unsigned long long)wrong);
	return 0;
}
