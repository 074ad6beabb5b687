/* SPDX-License-Identifier: MIT */
/*
 * What else a program can do while its connection is being made.
 */

static void tell_state(enum phase phase)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT",
		[TCP_CLOSE] = "CLOSE", [TCP_LISTEN] = "LISTEN",
		[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_FIN_WAIT2] = "FIN_WAIT2",
	};
	int state = tcp_state(FD);

	tell(phase, "TCP_INFO", state > 0 && names[state] ? names[state] :
	     num(state));
}

static void tell_names(enum phase phase)
{
	union addr a;
	socklen_t len = sizeof a;
	int ret = getpeername(FD, &a.any, &len);

	tell(phase, "getpeername", ret ? num(ret) :
	     a.in.sin_port == s.there.in.sin_port ? "there" : "elsewhere");
	len = sizeof a;
	ret = getsockname(FD, &a.any, &len);
	tell(phase, "getsockname", ret ? num(ret) :
	     a.in.sin_port ? "a port" : "no port");
}

static void tell_queues(enum phase phase)
{
	int in = -2, out = -2, ret = ioctl(FD, FIONREAD, &in);

	tell(phase, "FIONREAD", ret ? num(ret) : num(in));
	ret = ioctl(FD, TIOCOUTQ, &out);
	tell(phase, "TIOCOUTQ", ret ? num(ret) : num(out));
}

static void peek(enum phase phase, int flags)
{
	char data[40];
	ssize_t n = recv(FD, data, sizeof data, MSG_PEEK | flags);

	tell(phase, "recv(MSG_PEEK)", piece(data, n));
}

/* start: a non-blocking connect that will take its time. */
static void start(void (*end)(void))
{
	make_unconnected();
	if (s.real && end == syn_unreachable)
		option(FD, SOL_SOCKET, SO_RCVBUF, 1);	/* no error queue */
	blocking(FD, false);
	mark();
	really(end);
	tell(BEFORE, "connect", num(do_connect()));
}

/* accept_it: the server may have seen an attempt that was given up, too. */
static void accept_it(void)
{
	union addr here, far = { 0 };

	need(getsockname(FD, &here.any, &(socklen_t){ sizeof here }),
	     "getsockname");
	do {
		close(s.peer);
		s.peer = need(accept(s.lis, &far.any,
				     &(socklen_t){ sizeof far }), "accept");
	} while (far.in.sin_port != here.in.sin_port);
}

static void served(void)
{
	accept_it();
	give(LATER);
	peer_gets();
	peer_sends();
	look(LATER, FD, POLLIN, -1);
	take(LATER);
}

static void connect_again(void)
{
	start(syn_arrives);
	for (int i = 0; i < 2; i++)
		tell(BEFORE, "connect", num(do_connect()));
	look(AFTER, FD, POLLIN | POLLOUT | POLLRDHUP, -1);
	for (int i = 0; i < 3; i++)
		tell(AFTER, "connect", num(do_connect()));
	error_of(AFTER);
	served();
}

static void connect_view(void)
{
	start(syn_arrives);
	tell_state(BEFORE);
	tell_names(BEFORE);
	tell_queues(BEFORE);
	error_of(BEFORE);
	give(BEFORE);
	take(BEFORE);
	peek(BEFORE, 0);
	peek(BEFORE, MSG_DONTWAIT);
	tell(BEFORE, "write", num(write(FD, "x", 1)));
	tell(BEFORE, "read", num(read(FD, &(char){ 0 }, 1)));
	tell(BEFORE, "listen", num(listen(FD, 1)));
	look(BEFORE, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	tell_state(BEFORE);
	look(AFTER, FD, POLLIN | POLLOUT | POLLRDHUP, -1);
	tell_state(AFTER);
	tell_names(AFTER);
	tell_queues(AFTER);
	served();
}

/* connect_seen: not by a wait, but by asking again and again. */
static void connect_seen(void)
{
	start(syn_arrives);
	until(do_connect() != -1 || errno != EALREADY);
	tell(AFTER, "connect", "done");
	tell(AFTER, "connect", num(do_connect()));
	tell_state(AFTER);
	served();
}

static void connect_sent(void)
{
	start(syn_arrives);
	until(send(FD, "ssss\n", 5, 0) == 5 || errno != EAGAIN);
	tell(AFTER, "send", "done");
	s.peer = need(accept(s.lis, NULL, NULL), "accept");
	peer_gets();
}

static void connect_named(void)
{
	union addr a;

	start(syn_arrives);
	until(!getpeername(FD, &a.any, &(socklen_t){ sizeof a }) ||
	      errno != ENOTCONN);
	tell(AFTER, "getpeername", "done");
	tell_state(AFTER);
	served();
}

/* The attempt is given up: nothing of it is left. */
static void connect_shut(int how)
{
	start(syn_arrives);
	tell(BEFORE, "shutdown", num(shutdown(FD, how)));
	tell_state(BEFORE);
	look(BEFORE, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	error_of(BEFORE);
	tell_names(BEFORE);
	take(BEFORE);
	give(BEFORE);
	sleep_until(s.moment + s.span / 4);
	tell_state(LATER);
	look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	join_helper();
	tell(LATER, "connect", num(do_connect()));
	look(LATER, FD, POLLIN | POLLOUT, -1);
	tell(LATER, "connect", num(do_connect()));
	served();
}

/* connect_closed: the number is another socket's, which is not held up. */
static void connect_closed(void)
{
	int p[2], set = new_set();

	start(syn_arrives);
	watch(set, FD, POLLIN | POLLOUT, 7);
	report(BEFORE, set, 0);
	tell(BEFORE, "close", num(close(FD)));
	report(BEFORE, set, 0);
	tell(BEFORE, "poll", num(poll(&(struct pollfd){ FD, 1, 0 }, 1, 0)));
	tell(BEFORE, "connect", num(do_connect()));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	put(p[0], FD);
	s.peer = p[1];
	peer_sends();
	watch(set, FD, POLLIN | POLLOUT, 8);
	look(BEFORE, FD, POLLIN | POLLOUT, 0);
	report(BEFORE, set, 0);
	take(BEFORE);
	give(BEFORE);
	peer_gets();
	sleep_until(s.moment + s.span / 4);
	report(LATER, set, 0);
}

/* connect_dissolved: connect to no address gives an attempt up as well. */
static void connect_dissolved(void)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	start(syn_arrives);
	tell(BEFORE, "connect(none)", num(connect(FD, &none, sizeof none)));
	tell_state(BEFORE);
	look(BEFORE, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	join_helper();
	tell(LATER, "connect", num(do_connect()));
	look(LATER, FD, POLLIN | POLLOUT, -1);
	served();
}

/* Started without waiting, then the descriptor is made to wait. */
static void connect_then_wait(int what)
{
	struct waiter w;

	start(syn_arrives);
	blocking(FD, true);
	if (what == 'c') {
		tell(AFTER, "connect", num(do_connect()));
		tell(AFTER, "connect", num(do_connect()));
		served();
	} else if (what == 's') {
		give(AFTER);
		s.peer = need(accept(s.lis, NULL, NULL), "accept");
		peer_gets();
	} else {
		start_waiter(&w, in_recv);
		s.peer = need(accept(s.lis, NULL, NULL), "accept");
		peer_sends();
		tell(AFTER, "recv", num(end_waiter(&w)));
	}
}

/* set_before: epoll knows the socket before it connects. */
static void connect_set_before(int edge)
{
	int set = new_set();

	make_unconnected();
	blocking(FD, false);
	watch(set, FD, POLLIN | POLLOUT | POLLRDHUP |
	      (edge ? EPOLLET : 0), 7);
	report(LATER, set, 0);
	mark();
	really(syn_arrives);
	tell(BEFORE, "connect", num(do_connect()));
	report(BEFORE, set, 20);
	report(BEFORE, set, 0);
	report(AFTER, set, -1);
	error_of(AFTER);
	served();
}

/* In a set: told once; told of another wish; two of them; another number. */
static void connect_oneshot(int mode)
{
	int set = new_set();

	start(syn_arrives);
	watch(set, FD, POLLOUT | EPOLLONESHOT | mode, 7);
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	report(AFTER, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLOUT | EPOLLONESHOT | mode, 8),
	     "epoll_ctl");
	report(AFTER, set, -1);
	served();
	report(LATER, set, 0);
}

static void connect_mod(int mode)
{
	int set = new_set();

	start(syn_arrives);
	watch(set, FD, POLLIN | mode, 1);
	report(BEFORE, set, 20);
	need(control(set, EPOLL_CTL_MOD, FD, POLLOUT | mode, 2), "epoll_ctl");
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	need(control(set, EPOLL_CTL_MOD, FD, POLLIN | mode, 3), "epoll_ctl");
	report(AFTER, set, 20);
	served();
}

static void connect_two_sets(int unused)
{
	int one = new_set(), two = new_set(), outer = new_set();
	int copy = need(dup(0), "dup");

	(void)unused;
	start(syn_arrives);
	need(dup2(FD, copy), "dup2");
	watch(one, FD, POLLOUT, 1);
	watch(two, copy, POLLIN | POLLOUT | EPOLLET, 2);
	watch(outer, one, POLLIN, 3);
	report(BEFORE, one, 20);
	report(BEFORE, two, 20);
	report(BEFORE, outer, 20);
	look(BEFORE, copy, POLLOUT, 0);
	report(AFTER, outer, -1);
	report(AFTER, one, -1);
	report(AFTER, two, -1);
	report(AFTER, two, 0);
	served();
}

static void connect_forked(int edge)
{
	int set = new_set();
	pid_t pid;

	start(syn_arrives);
	watch(set, FD, POLLIN | POLLOUT | (edge ? EPOLLET : 0), 7);
	pid = need(fork(), "fork");
	if (!pid) {
		tell(BEFORE, "connect", num(do_connect()));
		report(AFTER, set, -1);
		error_of(AFTER);
		_exit(0);
	}
	reap(pid);
	look(AFTER, FD, POLLOUT, -1);
	tell(AFTER, "connect", num(do_connect()));
	served();
}

/* ---- without an end ----------------------------------------------------- */

/* until_moment: nothing in all of the time for which another gate is closed. */
static int left(void)
{
	int64_t ms = (s.moment - now()) / MS;

	return ms > 0 ? ms : 0;
}

static void connect_forever(int unused)
{
	int set = new_set(), edge = new_set();

	(void)unused;
	start(syn_lost);
	watch(set, FD, POLLIN | POLLOUT, 7);
	watch(edge, FD, POLLIN | POLLOUT | EPOLLET, 7);
	look(LATER, FD, POLLIN | POLLOUT | POLLRDHUP, left());
	report(LATER, set, 10);
	report(LATER, edge, 10);
	tell(LATER, "select", bits(by_select(FD, POLLIN | POLLOUT, 10)));
	tell(LATER, "connect", num(do_connect()));
	error_of(LATER);
	give(LATER);
	tell_state(LATER);
	tell(LATER, "close", num(close(FD)));
}
