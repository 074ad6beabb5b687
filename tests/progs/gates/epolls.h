/* SPDX-License-Identifier: MIT */
/*
 * epoll and a gate on recv, in all that a set can be told.  asked: the gate is
 * a stall, closed by a recv; else a latency, closed by what arrives.
 */

/* close_gate: nothing can be received until the moment. */
static void close_gate(void)
{
	mark();
	later(peer_sends);
	if (s.asked)
		take(BEFORE);
}

static void pair_here(void)
{
	make_pair(false);
	blocking(FD, false);
}

/* another: an ungated socket for fd, with something to read. */
static int another(bool something)
{
	int p[2];

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	if (something && write(p[1], "other", 5) != 5)
		abort();
	return p[0];
}

static void ep_before(int mode)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN | mode, 7);
	close_gate();
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	report(AFTER, set, 0);
	take(AFTER);
	report(AFTER, set, 0);
}

static void ep_after(int mode)
{
	int set = new_set();

	pair_here();
	close_gate();
	watch(set, FD, POLLIN | mode, 7);
	report(BEFORE, set, 20);
	report(BEFORE, set, 0);
	report(AFTER, set, -1);
	report(AFTER, set, 0);
	take(AFTER);
}

/* ep_oneshot: told once; a MOD arms it again. */
static void ep_oneshot(int mode)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN | EPOLLONESHOT | mode, 7);
	close_gate();
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	report(AFTER, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLIN | EPOLLONESHOT | mode, 8),
	     "epoll_ctl");
	report(AFTER, set, 0);
	report(AFTER, set, 0);
	take(AFTER);
}

/* ep_oneshot_spent: what was told before the gate is not told after it. */
static void ep_oneshot_spent(int arm)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN | POLLOUT | EPOLLONESHOT, 7);
	report(LATER, set, 0);
	close_gate();
	if (arm) {
		need(control(set, EPOLL_CTL_MOD, FD, POLLIN | EPOLLONESHOT, 8),
		     "epoll_ctl");
		report(BEFORE, set, 20);
		report(AFTER, set, -1);
	}
	look(AFTER, FD, POLLIN, -1);
	report(AFTER, set, 20);
	take(AFTER);
}

static void ep_exclusive(int mode)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN | EPOLLEXCLUSIVE | mode, 7);
	close_gate();
	report(BEFORE, set, 20);
	tell(BEFORE, "epoll_ctl", num(control(set, EPOLL_CTL_MOD, FD, POLLIN,
					      8)));
	report(AFTER, set, -1);
	report(AFTER, set, 0);
	take(AFTER);
	peer_sends();
	look(AFTER, FD, POLLIN, -1);
	report(AFTER, set, -1);
}

static void ep_two_sets(int mode)
{
	int one = new_set(), two = new_set();

	pair_here();
	watch(one, FD, POLLIN, 1);
	watch(two, FD, POLLIN | POLLRDHUP | mode, 2);
	close_gate();
	report(BEFORE, one, 20);
	report(BEFORE, two, 20);
	report(AFTER, one, -1);
	report(AFTER, two, -1);
	report(AFTER, one, 0);
	report(AFTER, two, 0);
	take(AFTER);
	report(AFTER, one, 0);
	report(AFTER, two, 0);
}

/* ep_dup: the set knows the socket by another number, or by both. */
static void ep_dup(int both)
{
	int set = new_set(), copy;

	pair_here();
	copy = need(dup(FD), "dup");
	watch(set, copy, POLLIN, 2);
	if (both)
		watch(set, FD, POLLIN, 1);
	close_gate();
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	if (both)
		report(AFTER, set, 0);
	take(AFTER);
	report(AFTER, set, 0);
}

/* ep_dup_closed: the registered number is closed, the socket goes on. */
static void ep_dup_closed(int unused)
{
	int set = new_set(), copy;

	(void)unused;
	pair_here();
	copy = need(dup(FD), "dup");
	watch(set, FD, POLLIN, 1);
	close_gate();
	report(BEFORE, set, 0);
	close(FD);
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	tell(AFTER, "recv", num(recv(copy, &(char[8]){ 0 }, 8, 0)));
	report(AFTER, set, 0);
}

static void ep_set_dup(int unused)
{
	int set = new_set(), copy;

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN, 7);
	copy = need(dup(set), "dup");
	close_gate();
	report(BEFORE, copy, 20);
	report(AFTER, copy, -1);
	report(AFTER, set, 0);
	take(AFTER);
	report(AFTER, copy, 0);
}

static void ep_set_closed(int unused)
{
	int set = new_set(), copy;

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN, 7);
	copy = need(dup(set), "dup");
	close_gate();
	report(BEFORE, set, 20);
	close(set);
	report(BEFORE, copy, 20);
	report(AFTER, copy, -1);
	take(AFTER);
}

static void ep_nested(int mode)
{
	int inner = new_set(), outer = new_set();

	pair_here();
	watch(inner, FD, POLLIN, 1);
	watch(outer, inner, POLLIN | mode, 2);
	close_gate();
	report(BEFORE, outer, 20);
	report(BEFORE, inner, 0);
	report(BEFORE, outer, 0);
	report(AFTER, outer, -1);
	report(AFTER, inner, 0);
	take(AFTER);
	report(AFTER, inner, 0);
	report(AFTER, outer, 0);
}

/* ep_polled: poll and select on the set itself. */
static void ep_polled(int with_select)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN, 1);
	close_gate();
	if (with_select) {
		tell(BEFORE, "select", bits(by_select(set, POLLIN, 20)));
		tell(AFTER, "select", bits(by_select(set, POLLIN, -1)));
	} else {
		look(BEFORE, set, POLLIN, 20);
		look(BEFORE, set, POLLIN, 0);
		look(AFTER, set, POLLIN, -1);
	}
	report(AFTER, set, 0);
	take(AFTER);
	look(AFTER, set, POLLIN, 0);
}

/* ep_same_data: the number that comes back is no name for a socket. */
static void ep_same_data(int unused)
{
	int set = new_set(), one = another(true), two = another(false);

	(void)unused;
	pair_here();
	watch(set, one, POLLIN, 0);
	watch(set, two, POLLOUT, 0);
	watch(set, FD, POLLIN, 0);
	close_gate();
	report(BEFORE, set, 20);
	report(BEFORE, set, 0);
	look(AFTER, FD, POLLIN, -1);
	report(AFTER, set, 0);
	take(AFTER);
	report(AFTER, set, 0);
}

/* ep_max_one: the gated one is not in the others' way. */
static void ep_max_one(int mode)
{
	int set = new_set(), one = another(true);

	pair_here();
	watch(set, FD, POLLIN | mode, 7);
	watch(set, one, POLLIN, 1);
	close_gate();
	for (int i = 0; i < 3; i++)
		tell(BEFORE, "epoll_wait", events_of(set, 1, 20));
	if (read(one, &(char[8]){ 0 }, 8) != 5)
		abort();
	tell(BEFORE, "epoll_wait", events_of(set, 1, 20));
	tell(AFTER, "epoll_wait", events_of(set, 1, -1));
	take(AFTER);
	tell(AFTER, "epoll_wait", events_of(set, 1, 0));
}

static void ep_mod(int mode)
{
	int set = new_set();

	pair_here();
	watch(set, FD, POLLIN | mode, 1);
	close_gate();
	report(BEFORE, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLIN | POLLRDHUP | mode, 2),
	     "epoll_ctl");
	report(BEFORE, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLOUT, 3), "epoll_ctl");
	report(BEFORE, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, 0, 4), "epoll_ctl");
	report(BEFORE, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLIN | mode, 5), "epoll_ctl");
	report(AFTER, set, -1);
	take(AFTER);
	report(AFTER, set, 0);
}

/* ep_mod_off: not wanted any more when it opens. */
static void ep_mod_off(int unused)
{
	int set = new_set();

	(void)unused;
	pair_here();
	watch(set, FD, POLLIN, 1);
	close_gate();
	report(BEFORE, set, 0);
	need(control(set, EPOLL_CTL_MOD, FD, 0, 2), "epoll_ctl");
	look(AFTER, FD, POLLIN, -1);
	report(AFTER, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLIN, 3), "epoll_ctl");
	report(AFTER, set, 0);
}

static void ep_del(int again)
{
	int set = new_set(), other = new_set();

	pair_here();
	watch(set, FD, POLLIN, 1);
	close_gate();
	report(BEFORE, set, 20);
	tell(BEFORE, "epoll_ctl", num(control(set, EPOLL_CTL_ADD, FD, 1, 1)));
	tell(BEFORE, "epoll_ctl", num(control(set, EPOLL_CTL_DEL, FD, 0, 0)));
	tell(BEFORE, "epoll_ctl", num(control(set, EPOLL_CTL_DEL, FD, 0, 0)));
	tell(BEFORE, "epoll_ctl", num(control(set, EPOLL_CTL_MOD, FD, 1, 1)));
	report(BEFORE, set, 0);
	if (again) {
		watch(set, FD, POLLIN, 2);
		watch(other, FD, POLLIN, 3);
		report(BEFORE, set, 20);
		report(AFTER, set, -1);
		report(AFTER, other, 0);
	} else {
		look(AFTER, FD, POLLIN, -1);
		report(AFTER, set, 20);
	}
	take(AFTER);
}

/*
 * ep_both_ways: only what comes is gated.  An edge for OUT may come again as
 * the gate closes, as it may at any time: there it is said whether IN does.
 */
static void ep_both_ways(int mode)
{
	int set = new_set();
	const char *found;

	pair_here();
	watch(set, FD, POLLIN | POLLOUT | mode, 7);
	report(LATER, set, 0);
	close_gate();
	found = events_of(set, 8, 0);
	tell(BEFORE, "told", mode & EPOLLET && !strstr(found, "IN") ? "0"
								  : found);
	give(BEFORE);
	peer_gets();
	look(AFTER, FD, POLLIN, -1);
	report(AFTER, set, -1);
	take(AFTER);
	report(AFTER, set, 0);
}

/* ep_send: only what goes is gated. */
static void ep_send(int mode)
{
	int set = new_set();

	make_gated(true);
	blocking(FD, false);
	mark();
	later(peer_drains);
	if (s.asked)
		give(BEFORE);
	watch(set, FD, POLLIN | POLLOUT | mode, 7);
	report(BEFORE, set, 20);
	peer_sends();
	report(BEFORE, set, -1);
	take(BEFORE);
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	give(AFTER);
	peer_gets();
}

#define MANY 50

static int many[MANY];			/* their peers */

static void many_send(void)
{
	for (int i = 0; i < MANY; i++)
		if (write(many[i], "many\n", PIECE) != PIECE)
			abort();
}

/* ep_many: each has a gate of its own, and all are told. */
static void ep_many(int mode)
{
	int set = new_set(), told = 0, p[2], near[MANY];
	struct epoll_event e[8];
	char data[8];

	for (int i = 0; i < MANY; i++) {
		need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
		watch(set, p[0], POLLIN | mode, i);
		near[i] = p[0];
		many[i] = p[1];
	}
	mark();
	later(many_send);
	report(BEFORE, set, 20);
	while (told < MANY) {
		int n = need(epoll_wait(set, e, 8, -1), "epoll_wait");

		if (now() < s.moment)
			say("EARLY\n");
		for (int i = 0; i < n; i++)
			told += recv(near[e[i].data.u64], data, 8,
				     MSG_DONTWAIT) == PIECE;
	}
	report(AFTER, set, 20);
}

/* ep_other: another socket is served meanwhile. */
static void ep_other(int mode)
{
	int set = new_set(), one = another(true);

	pair_here();
	watch(set, FD, POLLIN | mode, 7);
	watch(set, one, POLLIN | mode, 1);
	close_gate();
	report(BEFORE, set, -1);
	if (read(one, &(char[8]){ 0 }, 8) != 5)
		abort();
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	take(AFTER);
}
