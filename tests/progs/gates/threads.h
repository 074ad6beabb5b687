/* SPDX-License-Identifier: MIT */
/*
 * Several threads at one gate, and those that have waited before it closed.
 * asked: see epolls.h.
 */

static long in_report(void)
{
	struct epoll_event e = { 0 };
	int n = epoll_wait(s.level, &e, 1, -1);

	return n == 1 ? (long)e.data.u64 : n;
}

/* ep_already: it has been waiting when the gate closes. */
static void ep_already(int mode)
{
	struct waiter w;

	pair_here();
	s.level = new_set();
	watch(s.level, FD, POLLIN | mode, 7);
	mark();
	start_waiter(&w, in_report);
	if (s.asked)
		take(BEFORE);
	later(peer_sends);
	tell(AFTER, "waiter", num(end_waiter(&w)));
	take(AFTER);
	report(AFTER, s.level, 0);
}

/* connect_already: it has heard what an unconnected socket is. */
static void connect_already(int unused)
{
	struct waiter w;

	(void)unused;
	make_unconnected();
	blocking(FD, false);
	s.level = new_set();
	watch(s.level, FD, POLLIN | POLLOUT | EPOLLET, 7);
	report(LATER, s.level, 0);
	start_waiter(&w, in_report);
	mark();
	really(syn_arrives);
	tell(BEFORE, "connect", num(do_connect()));
	tell(AFTER, "waiter", num(end_waiter(&w)));
	error_of(AFTER);
	served();
}

/* ep_threads: an edge is for one of those who wait. */
static void ep_threads(int unused)
{
	struct waiter w[3] = { 0 };
	int first = 0, p[2];

	(void)unused;
	pair_here();
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	s.level = new_set();
	watch(s.level, FD, POLLIN | EPOLLET, 7);
	watch(s.level, p[0], POLLIN, 1);
	mark();
	for (int i = 0; i < 3; i++)
		start_waiter(&w[i], in_report);
	later(peer_sends);
	look(AFTER, FD, POLLIN, -1);
	until(w[0].at || w[1].at || w[2].at);
	take(AFTER);
	if (write(p[1], "x", 1) != 1)		/* the others may go */
		abort();
	for (int i = 0; i < 3; i++)
		first += end_waiter(&w[i]) == 7;
	tell(AFTER, "threads told", num(first));
}

/* recv_threads: each gets one of three datagrams. */
static void recv_threads(int unused)
{
	struct waiter w[3];
	long sum = 0;
	int64_t first = INT64_MAX;

	(void)unused;
	make_pair(false);
	mark();
	for (int i = 0; i < 3; i++)
		start_waiter(&w[i], in_recv);
	later(peer_sends);
	later(peer_sends_twice);
	for (int i = 0; i < 3; i++) {
		sum += end_waiter(&w[i]);
		if (w[i].at < first)
			first = w[i].at;
	}
	tell_at(AFTER, first, "bytes", num(sum));
}

/* already: a thread waits in the call when the gate closes. */
static void already(const struct in_call *c)
{
	struct waiter w;

	pair_here();
	if (c->what == 'r')
		blocking(FD, true);
	s.level = s.edge = new_set();
	watch(s.level, FD, POLLIN | (c->call == in_edge ? EPOLLET : 0), 7);
	mark();
	start_waiter(&w, c->call);
	if (s.asked)
		tell(BEFORE, "recv", num(recv(FD, &(char[8]){ 0 }, 8,
					      MSG_DONTWAIT)));
	later(peer_sends);
	end_waiter(&w);
	tell_at(AFTER, w.at, c->name, c->what == 'p' ? bits(w.ret) :
		num(w.ret));
	if (c->what == 'p')
		take(AFTER);
}

/* ---- gates open and close in other threads, while the process forks -------- */

static atomic_bool storm_over;

/* through: a pair of its own, a piece, and whoever waits for it. */
static bool through(void)
{
	struct epoll_event e;
	int p[2], set = new_set();
	bool well;

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	watch(set, p[0], POLLIN | EPOLLET, 1);
	well = write(p[1], "storm", 5) == 5 &&
	       epoll_wait(set, &e, 1, -1) == 1 &&
	       recv(p[0], &(char[8]){ 0 }, 8, MSG_DONTWAIT) == 5;
	close(p[0]);
	close(p[1]);
	close(set);
	return well;
}

static void *storm(void *unused)
{
	while (!storm_over)
		if (!through())
			abort();
	return unused;
}

static void fork_storm(int unused)
{
	pthread_t t[3];

	(void)unused;
	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, storm, NULL))
			abort();
	for (int i = 0; i < 100; i++) {
		pid_t pid = need(fork(), "fork");

		if (!pid) {
			alarm(20);
			_exit(through() ? 0 : 4);
		}
		reap(pid);
	}
	storm_over = true;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("all through\n");
}

/* crowd: more threads at gates than one would think of. */
static void *crowd_one(void *arg)
{
	char data[8];
	int fd = *(int *)arg;

	return recv(fd, data, 8, 0) == 5 && now() >= s.moment ? arg : NULL;
}

static void crowd(int unused)
{
	enum { N = 150 };
	static int fds[N][2];
	pthread_t t[N];
	void *well;
	int n = 0;

	(void)unused;
	for (int i = 0; i < N; i++)
		need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]),
		     "socketpair");
	mark();
	for (int i = 0; i < N; i++)
		if (pthread_create(&t[i], NULL, crowd_one, fds[i]))
			abort();
	for (int i = 0; i < N; i += MANY) {
		for (int j = 0; j < MANY; j++)
			many[j] = fds[i + j][1];
		later(many_send);
		join_helper();
	}
	for (int i = 0; i < N; i++) {
		pthread_join(t[i], &well);
		n += well != NULL;
	}
	tell(AFTER, "threads", num(n));
}
