/* SPDX-License-Identifier: MIT */
/*
 * Gates and the rest of the world: other sockets, other processes.  asked: see
 * epolls.h.
 */

/* ---- other sockets ------------------------------------------------------ */

static void other_polled(int how)
{
	int one = another(true);
	struct pollfd p[3] = { { FD, POLLIN, 0 }, { one, POLLIN, 0 },
			       { -1, POLLIN, 0 } };
	struct timespec t = { 20, 0 };
	struct timeval tv = { 20, 0 };
	fd_set r;
	int n;

	pair_here();
	close_gate();
	FD_ZERO(&r);
	FD_SET(FD, &r);
	FD_SET(one, &r);
	switch (how) {
	case 'p':
		n = poll(p, 3, -1);
		break;
	case 'P':
		n = ppoll(p, 3, &t, NULL);
		break;
	case 's':
		n = select(FD + 1, &r, NULL, NULL, &tv);
		break;
	default:
		n = pselect(FD + 1, &r, NULL, NULL, NULL, NULL);
	}
	tell(BEFORE, "wait", num(n));
	if ((how | 0x20) == 'p') {
		tell(BEFORE, "gated", bits(p[0].revents));
		tell(BEFORE, "other", bits(p[1].revents));
	} else {
		tell(BEFORE, "gated", num(FD_ISSET(FD, &r)));
		tell(BEFORE, "other", num(!!FD_ISSET(one, &r)));
	}
	n = poll(p, 1, -1);
	tell(AFTER, "wait", num(n));
	tell(AFTER, "gated", bits(p[0].revents));
}

/* other_args: what a wait says of its arguments does not change. */
static void other_args(int unused)
{
	struct pollfd p[3] = { { FD, POLLIN, 77 }, { FD, POLLOUT, 77 },
			       { -1, POLLIN, 77 } };
	struct timespec bad = { 0, 2000000000 };
	struct epoll_event e;
	int set = new_set();
	struct pollfd *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE |
				      MAP_ANONYMOUS, -1, 0);

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN, 7);
	close_gate();
	tell(BEFORE, "poll", num(poll(p, 3, 0)));
	for (int i = 0; i < 3; i++)
		tell(BEFORE, "revents", bits(p[i].revents));
	p[1].events = POLLIN;
	tell(BEFORE, "poll", num(poll(p, 3, 10)));
	tell(BEFORE, "poll(bad)", num(poll(nowhere, 1, 10)));
	tell(BEFORE, "ppoll(bad)", num(ppoll(p, 1, &bad, NULL)));
	tell(BEFORE, "select(-1)", num(select(-1, NULL, NULL, NULL, NULL)));
	tell(BEFORE, "epoll_wait(0)", num(epoll_wait(set, &e, 0, 10)));
	tell(BEFORE, "epoll_wait(FD)", num(epoll_wait(FD, &e, 1, 10)));
	tell(BEFORE, "epoll_wait(bad)", num(epoll_wait(-1, &e, 1, 10)));
	tell(AFTER, "poll", num(poll(p, 3, -1)));
	for (int i = 0; i < 3; i++)
		tell(AFTER, "revents", bits(p[i].revents));
}

/* other_names: poll's other words for the same. */
static void other_names(int unused)
{
	int set = new_set();

	(void)unused;
	pair_here();
	watch(set, FD, POLLRDNORM, 7);
	close_gate();
	look(BEFORE, FD, POLLRDNORM, 20);
	look(BEFORE, FD, POLLRDNORM | POLLWRNORM, 0);
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	look(AFTER, FD, POLLRDNORM, -1);
	look(AFTER, FD, POLLRDNORM | POLLIN | POLLWRNORM, 0);
}

/* other_left: select says how much of its time is left. */
static void other_left(int unused)
{
	struct timeval t = { 0, 20000 }, long_t = { 28, 0 };
	fd_set r;

	(void)unused;
	pair_here();
	close_gate();
	FD_ZERO(&r);
	FD_SET(FD, &r);
	tell(BEFORE, "select", num(select(FD + 1, &r, NULL, NULL, &t)));
	tell(BEFORE, "left", num(t.tv_sec * 1000000 + t.tv_usec));
	FD_SET(FD, &r);
	tell(AFTER, "select", num(select(FD + 1, &r, NULL, NULL, &long_t)));
	tell(AFTER, "left", long_t.tv_sec < 28 && long_t.tv_sec > 0 ?
	     "something" : "WRONG");
}

static int other_end;

static void *other_speaks(void *unused)
{
	until(asleep(getpid()));
	if (write(other_end, "other", 5) != 5)
		abort();
	return unused;
}

/* other_comes: while the program waits at the gate, for ever or for long. */
static void other_comes(int how)
{
	int p[2], set = new_set();
	struct pollfd pfd[2] = { { FD, POLLIN, 0 }, { 0, POLLIN, 0 } };
	pthread_t t;

	pair_here();
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	other_end = p[1];
	pfd[1].fd = p[0];
	watch(set, FD, POLLIN | (how == 'e' ? EPOLLET : 0), 7);
	watch(set, p[0], POLLIN, 1);
	close_gate();
	if (pthread_create(&t, NULL, other_speaks, NULL))
		abort();
	if (how == 'p')
		tell(BEFORE, "poll", num(poll(pfd, 2, 25000)));
	else
		report(BEFORE, set, 25000);
	pthread_join(t, NULL);
	if (read(p[0], &(char[8]){ 0 }, 8) != 5)
		abort();
	if (how == 'p')
		tell(AFTER, "poll", num(poll(pfd, 2, -1)));
	else
		report(AFTER, set, -1);
	take(AFTER);
}

/* both: poll says what the other direction has. */
static void other_direction(int unused)
{
	(void)unused;
	pair_here();
	close_gate();
	look(BEFORE, FD, POLLIN | POLLOUT, -1);
	tell(BEFORE, "select", bits(by_select(FD, POLLIN | POLLOUT, -1)));
	give(BEFORE);
	peer_gets();
	look(AFTER, FD, POLLIN, -1);
	look(AFTER, FD, POLLIN | POLLOUT, -1);
}

/* ---- other processes and numbers ---------------------------------------- */

static void forked(int how)
{
	pid_t pid;

	pair_here();
	s.level = s.edge = new_set();
	watch(s.level, FD, POLLIN | (how == 'g' ? EPOLLET : 0), 7);
	close_gate();
	pid = need(fork(), "fork");
	if (!pid) {
		if (how == 'p')
			look(AFTER, FD, POLLIN, -1);
		else if (how == 'e' || how == 'g')
			report(AFTER, s.level, -1);
		else
			blocking(FD, true);
		take(AFTER);
		_exit(0);
	}
	reap(pid);
	blocking(FD, false);		/* a flag that both have */
	take(AFTER);
}

/* forked_both: parent and child both, the child first to say so. */
static void forked_both(int unused)
{
	pid_t pid;

	(void)unused;
	pair_here();
	close_gate();
	pid = need(fork(), "fork");
	if (!pid) {
		look(AFTER, FD, POLLIN, -1);
		_exit(0);
	}
	reap(pid);
	look(AFTER, FD, POLLIN, -1);
	take(AFTER);
}

static void closed_copy(int unused)
{
	int copy;

	(void)unused;
	pair_here();
	copy = need(dup(FD), "dup");
	close_gate();
	look(BEFORE, FD, POLLIN, 0);
	look(BEFORE, copy, POLLIN, 0);
	close(FD);
	look(BEFORE, copy, POLLIN, 20);
	look(AFTER, copy, POLLIN, -1);
	need(dup2(copy, FD), "dup2");
	take(AFTER);
}

/* closed_all: the peer notices at once, and the number is free. */
static void closed_all(int unused)
{
	pair_here();
	(void)unused;
	close_gate();
	look(BEFORE, FD, POLLIN, 0);
	close(FD);
	need(dup2(another(true), FD), "dup2");
	look(BEFORE, FD, POLLIN, 0);
	take(BEFORE);
}
