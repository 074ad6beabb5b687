/* SPDX-License-Identifier: MIT */
/*
 * Much at once.
 */

enum { THREADS = 6, TURNS = 150 };

static _Atomic int wrong;

/* One end receives in a thread of its own, and says how much came. */
struct half {
	int fd;
	size_t total;
};

static void *receives(void *arg)
{
	struct half *h = arg;
	char data[80];

	for (int i = 0;; i++) {
		ssize_t n = in_ways[i % 7].call(h->fd, data, sizeof data, 0);
		if (n > 0)
			h->total += n;
		else if (n == 0 || errno != EINTR)
			return arg;
	}
}

static void one_turn(const struct kind *k)
{
	char data[60];
	struct half h = { .total = 0 };
	size_t sent = 0;
	bool cut = false;
	pthread_t t;
	int end[2];

	make_pair(k, end);
	memset(data, 'd', sizeof data);
	h.fd = end[1];
	t = begun(receives, &h);
	for (int i = 0; i < 30 && !cut; i++) {
		ssize_t n = out_ways[i % 7].call(end[0], data, sizeof data, 0);
		sent += n > 0 ? n : 0;
		cut = n < 0 && errno != EINTR && errno != ENOBUFS;
	}
	shutdown(end[0], SHUT_WR);
	pthread_join(t, NULL);
	wrong += h.total > sent;
	close(end[0]);
	close(end[1]);
}

static void *turns(void *number)
{
	for (int i = 0; i < TURNS; i++)
		one_turn(&kinds[((intptr_t)number + i) & 1]);
	return NULL;
}

static void case_threads(void)
{
	pthread_t t[THREADS];

	signal(SIGPIPE, SIG_IGN);
	for (intptr_t i = 0; i < THREADS; i++)
		t[i] = begun(turns, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("%d wrong\n", wrong);
}
