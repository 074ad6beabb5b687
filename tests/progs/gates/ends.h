/* SPDX-License-Identifier: MIT */
/*
 * The end of a connection at a gate: of the stream, which waits its turn, or a
 * reset, which does not.  asked: see epolls.h.
 */

static void peer_sends_and_ends(void)
{
	peer_sends();
	peer_ends();
}

/* ended: nothing is known of it until then. */
static void ended(int sends)
{
	pair_here();
	mark();
	later(sends ? peer_sends_and_ends : peer_ends);
	if (s.asked)
		take(BEFORE);
	look(BEFORE, FD, POLLIN | POLLRDHUP, 20);
	look(AFTER, FD, POLLRDHUP, -1);
	look(AFTER, FD, POLLIN | POLLRDHUP, 0);
	take(AFTER);
	take(AFTER);
}

static void end_hidden(int unused)
{
	int set = new_set(), edge = new_set();

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN | POLLRDHUP, 1);
	watch(edge, FD, POLLIN | POLLRDHUP | EPOLLET, 2);
	mark();
	later(peer_ends);
	if (s.asked)
		take(BEFORE);
	look(BEFORE, FD, POLLIN | POLLRDHUP, 20);
	look(BEFORE, FD, POLLRDHUP, 0);
	report(BEFORE, set, 20);
	report(BEFORE, edge, 20);
	take(BEFORE);
	give(BEFORE);
	report(AFTER, edge, -1);
	report(AFTER, set, -1);
	look(AFTER, FD, POLLIN | POLLRDHUP, -1);
	take(AFTER);
	take(AFTER);
}

/* shut: one's own shutdown is no matter of the network. */
static void shut(int how)
{
	pair_here();
	close_gate();
	look(BEFORE, FD, POLLIN | POLLOUT, 0);
	tell(BEFORE, "shutdown", num(shutdown(FD, how)));
	look(BEFORE, FD, POLLIN | POLLOUT | POLLRDHUP, 20);
	take(BEFORE);
	give(BEFORE);
	if (how == SHUT_RDWR)
		return;			/* what comes then meets a RST */
	sleep_until(s.moment + s.span / 4);
	join_helper();
	look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	take(LATER);
	take(LATER);
	if (how == SHUT_RD)
		peer_gets();
}

/* shut_waiting: a thread that waits notices. */
static void shut_waiting(int how)
{
	struct waiter w;

	make_pair(false);
	mark();
	later(peer_sends);
	start_waiter(&w, how == 'r' ? in_recv : in_poll);
	tell(BEFORE, "shutdown", num(shutdown(FD, SHUT_RD)));
	tell(BEFORE, "waiter", num(end_waiter(&w)));
}

static void shut_send(int unused)
{
	(void)unused;
	make_gated(true);
	blocking(FD, false);
	mark();
	later(peer_drains);
	give(BEFORE);
	look(BEFORE, FD, POLLOUT, 0);
	tell(BEFORE, "shutdown", num(shutdown(FD, SHUT_WR)));
	look(BEFORE, FD, POLLOUT, 20);
	give(BEFORE);
}

/* The rule is stall=forever: only the reset ends it. */
static void *reset_when_asleep(void *tid)
{
	until(asleep(*(pid_t *)tid));
	peer_resets();
	return NULL;
}

static void reset_in(int which)
{
	const struct in_call *c = &in_calls[which];
	static pid_t tid;
	pthread_t t;

	make_pair(s.real && c->what == 'w');
	if (s.real && c->what == 'w')
		fill();
	s.level = s.edge = new_set();
	watch(s.level, FD, POLLIN | (c->call == in_edge ? EPOLLET : 0), 7);
	tid = gettid();
	if (c->what == 'p')		/* else nothing is held back */
		tell(LATER, "recv", num(recv(FD, &(char[8]){ 0 }, 8,
					     MSG_DONTWAIT)));
	if (pthread_create(&t, NULL, reset_when_asleep, &tid))
		abort();
	tell_call(LATER, c, c->call());
	pthread_join(t, NULL);
	blocking(FD, false);
	if (c->what == 'p')
		look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	take(LATER);
	take(LATER);
	give(LATER);
}

/* reset_there: it has come before anybody waits. */
static void reset_there(int data)
{
	pair_here();
	tell(LATER, "recv", num(recv(FD, &(char[8]){ 0 }, 8, 0)));
	if (data)
		peer_sends();
	peer_resets();
	look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, -1);
	take(LATER);
	take(LATER);
	take(LATER);
	give(LATER);
}

/* for_ever: nothing, in all of another gate's time. */
static void for_ever(int unused)
{
	int set = new_set(), edge = new_set();

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN, 1);
	watch(edge, FD, POLLIN | EPOLLET, 2);
	mark();
	if (!s.real)
		peer_sends();
	look(LATER, FD, POLLIN, left());
	tell(LATER, "select", bits(by_select(FD, POLLIN, 20)));
	report(LATER, set, 20);
	report(LATER, edge, 20);
	take(LATER);
	blocking(FD, true);
	timeout_of(SO_RCVTIMEO, 40);
	take(LATER);
	take(LATER);
	give(LATER);
	peer_gets();
}

static void for_ever_send(int unused)
{
	(void)unused;
	make_gated(true);
	blocking(FD, false);
	mark();
	look(LATER, FD, POLLOUT, left());
	tell(LATER, "select", bits(by_select(FD, POLLOUT, 20)));
	give(LATER);
	blocking(FD, true);
	timeout_of(SO_SNDTIMEO, 40);
	give(LATER);
	peer_sends();
	take(LATER);
}
