/* SPDX-License-Identifier: MIT */
/*
 * Every kind of gate met in every style of waiting.
 *
 * KIND[-PROTO]:STYLE[+asked][+late]: asked, the call is made before the
 * program waits; late, epoll hears of the socket only then.
 */
struct kind {
	const char *name, *rule;
	unsigned protos;
	int events;
	void (*event)(void);		/* what comes, or how connect ends */
	bool repeats;			/* the rule fires each time */
};

static const struct wait_way *style;	/* of waiting; NULL: in the call */
static bool late;

/* ready: what the style says, and not before its time-out. */
static const char *ready(int events, int timeout)
{
	int64_t begin = now();
	int found = style->call(FD, events, timeout);

	if (found == 0 && now() - begin < timeout * MS)
		say("before its time-out\n");
	return bits(found);
}

static void register_sets(int events)
{
	bool edge = !strcmp(style->name, "edge");

	s.level = s.edge = new_set();
	if (style->epoll)
		watch(s.level, FD, events | (edge ? EPOLLET : 0), 7);
}

/* ---- data --------------------------------------------------------------- */

/* make_gated: FD, without room where a real peer shall make some later. */
static void make_gated(bool sends)
{
	make_pair(s.real && sends);
	if (s.real && sends)
		fill();
}

static void call_it(const struct kind *k, enum phase phase)
{
	if (k->events == POLLIN)
		take(phase);
	else
		give(phase);
}

/* once_through: closed, then open, then what the call gives. */
static void once_through(const struct kind *k, bool first)
{
	mark();
	later(k->event);
	if (s.asked)
		call_it(k, BEFORE);
	if (first && late)
		register_sets(k->events);
	tell(BEFORE, "wait", ready(k->events, 20));
	tell(BEFORE, "wait", ready(k->events, 0));
	call_it(k, BEFORE);
	tell(AFTER, "wait", ready(k->events, s.asked ? -1 : 25000));
	call_it(k, AFTER);
}

static void meet_data(const struct kind *k)
{
	make_gated(k->events == POLLOUT);
	if (!style) {
		mark();
		later(k->event);
		call_it(k, AFTER);
		return;
	}
	blocking(FD, false);
	if (!late)
		register_sets(k->events);
	once_through(k, true);
	if (k->events == POLLOUT) {
		peer_gets();
		give(LATER);
		peer_gets();
		return;
	}
	tell(AFTER, "wait", ready(POLLIN, 0));
	take(AFTER);
	if (k->repeats) {
		once_through(k, false);
		return;
	}
	peer_sends();
	tell(AFTER, "wait", ready(POLLIN, -1));
	take(AFTER);
}

/* ---- connect ------------------------------------------------------------ */

/* connect_over: what is seen when the attempt has come to its end. */
static void connect_over(const struct kind *k, bool edge)
{
	bool good = k->event == syn_arrives;

	if (!edge)
		tell(AFTER, "wait", ready(k->events, 0));
	else if (good)			/* else there may be two edges */
		tell(AFTER, "wait", ready(k->events, 100));
	error_of(AFTER);
	error_of(AFTER);
	if (!good)
		look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	give(LATER);
	if (!good)
		return;
	s.peer = need(accept(s.lis, NULL, NULL), "accept");
	peer_gets();
	peer_sends();
	tell(LATER, "wait", ready(POLLIN, -1));
	take(LATER);
}

static void meet_connect(const struct kind *k)
{
	make_unconnected();
	if (s.real && k->event == syn_unreachable)
		option(FD, SOL_SOCKET, SO_RCVBUF, 1);	/* no error queue */
	if (s.real && k->event == syn_lost) {	/* 1 s, or 7 s */
		option(FD, IPPROTO_TCP, TCP_SYNCNT, s.span < 900 * MS ? 1 : 2);
		if (s.span < 900 * MS)
			option(FD, IPPROTO_TCP, TCP_USER_TIMEOUT, 1);
	}
	mark();
	really(k->event);
	if (!style) {
		style = wait_way("poll");
		tell(AFTER, "connect", num(do_connect()));
		connect_over(k, false);
		return;
	}
	blocking(FD, false);
	tell(BEFORE, "connect", num(do_connect()));
	if (s.asked)
		tell(BEFORE, "connect", num(do_connect()));
	register_sets(k->events);
	tell(BEFORE, "wait", ready(k->events, 20));
	tell(BEFORE, "wait", ready(k->events, 0));
	error_of(BEFORE);
	tell(AFTER, "wait", ready(k->events, s.asked ? -1 : 25000));
	connect_over(k, !strcmp(style->name, "edge"));
}

/* ---- the kinds ---------------------------------------------------------- */

#define ALL_PROTOS (TCP | UDP | STREAM | DGRAM | SEQ)
#define END (POLLIN | POLLOUT | POLLRDHUP)

static const struct kind kinds[] = {
	{ "connect", "connect fd=100 limit=1 inprogress=@T@",
	  TCP, POLLIN | POLLOUT, syn_arrives, false },
	{ "connect-stall", "connect fd=100 limit=1 stall=@T@",
	  TCP, POLLIN | POLLOUT, syn_arrives, false },
	{ "refused", "connect fd=100 limit=1 inprogress=@T@ "
	  "then=ECONNREFUSED", TCP, END, syn_refused, false },
	{ "timedout", "connect fd=100 limit=1 inprogress=@T@ "
	  "then=ETIMEDOUT", TCP, END, syn_lost, false },
	{ "unreachable", "connect fd=100 limit=1 inprogress=@T@ "
	  "then=EHOSTUNREACH", TCP, END, syn_unreachable, false },
	{ "recv-latency", "recv fd=100 latency=@T@..@T@",
	  ALL_PROTOS, POLLIN, peer_sends, true },
	{ "recv-stall", "recv fd=100 limit=1 stall=@T@",
	  ALL_PROTOS, POLLIN, peer_sends, false },
	{ "send-latency", "send fd=100 limit=1 latency=@T@",
	  ALL_PROTOS & ~UDP, POLLOUT, peer_drains, false },
	{ "send-stall", "send fd=100 limit=1 stall=@T@",
	  ALL_PROTOS & ~UDP, POLLOUT, peer_drains, false },
};

#define N_KINDS (sizeof kinds / sizeof *kinds)

static bool is_connect(const struct kind *k)
{
	return k->rule[0] == 'c';
}

static void meet(const struct kind *k)
{
	if (is_connect(k))
		meet_connect(k);
	else
		meet_data(k);
}

/* ---- rates -------------------------------------------------------------- */

#define RATE 400000			/* bytes a second */
#define RATED 200000			/* bytes in all */

static size_t moved;
static int64_t began;

/* within: more than this cannot have gone, but for what a second's quarter */
static const char *within(void)
{
	int64_t may = (now() - began) * RATE / (1000 * MS) + RATE / 4;

	return moved > (size_t)may ? " TOO FAST" : "";
}

/* The peer sends or takes all of it; a real one at the rate. */
static void *paced_peer(void *arg)
{
	bool sends = arg != NULL;
	static char data[RATE / 100];
	size_t left = RATED;

	blocking(s.peer, true);
	for (int64_t next = began; left > 0; next += 10 * MS) {
		ssize_t n = sends ? send(s.peer, data, sizeof data, 0)
				  : recv(s.peer, data, sizeof data, 0);

		if (n <= 0)
			abort();
		left -= n;
		if (s.real)
			sleep_until(next);
	}
	return NULL;
}

/* move_some: a send that waits takes all of it. */
static ssize_t move_some(bool sends)
{
	static char data[65536];
	size_t left = RATED - moved;
	ssize_t n;

	if (left > sizeof data)
		left = sizeof data;
	n = sends ? recv(FD, data, sizeof data, 0)
		  : send(FD, data, left, MSG_NOSIGNAL);
	if (!style && !sends && n != (ssize_t)left)
		say("a short count\n");
	return n;
}

/* meet_rate: sends, the peer does. */
static void meet_rate(bool sends)
{
	int events = sends ? POLLIN : POLLOUT, idle = 0;
	pthread_t t;
	ssize_t n;

	make_pair(false);
	option(FD, SOL_SOCKET, SO_SNDBUF, 16384);
	option(s.peer, SOL_SOCKET, SO_RCVBUF, 16384);
	if (style)
		register_sets(events);
	blocking(FD, !style);
	began = now();
	if (pthread_create(&t, NULL, paced_peer, sends ? &moved : NULL))
		abort();
	while (moved < RATED) {
		if (style && style->call(FD, events, -1) <= 0)
			idle++;
		n = move_some(sends);
		if (n <= 0)
			idle++;
		for (; n > 0; n = style ? move_some(sends) : 0) {
			moved += n;
			if (*within())
				break;
			if (moved == RATED)
				break;
		}
		if (*within())
			break;
	}
	say("%zu bytes%s%s\n", moved, idle ? ", woken for nothing" : "",
	    within());
}
