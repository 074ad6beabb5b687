/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait at a gate: each function that moves data, time-outs,
 * signals, cancellation.
 */

/* ---- every function ----------------------------------------------------- */

static const char *by_way(const struct data_way *w, bool sends)
{
	static char data[16];
	ssize_t n;

	if (!sends)
		memset(data, 0, sizeof data);
	else
		memcpy(data, "ssss\n", PIECE);
	errno = 0;
	n = w->call(FD, data, sends ? PIECE : sizeof data);
	return sends ? num(n) : piece(data, n);
}

/* call_way: at once, or after it has been said that there is nothing. */
static void call_way(const char *name, bool sends, bool asks)
{
	const struct data_way *w = data_way(sends ? send_ways : recv_ways,
					    name);

	make_gated(sends);
	mark();
	later(sends ? peer_drains : peer_sends);
	if (asks) {
		blocking(FD, false);
		tell(BEFORE, name, by_way(w, sends));
		tell(BEFORE, name, by_way(w, sends));
		blocking(FD, true);
	}
	tell(AFTER, name, by_way(w, sends));
	if (sends)
		peer_gets();
}

/* ---- what can be waited in ---------------------------------------------- */

static long in_read(void)
{
	char data[16];

	return read(FD, data, sizeof data);
}

static long in_send(void)
{
	return send(FD, "ssss\n", PIECE, 0);
}

static long in_poll(void)
{
	return by_poll(FD, POLLIN, -1);
}

static long in_ppoll(void)
{
	return by_ppoll(FD, POLLIN, -1);
}

static long in_select(void)
{
	return by_select(FD, POLLIN, -1);
}

static long in_pselect(void)
{
	return by_pselect(FD, POLLIN, -1);
}

static long in_epoll_wait(void)
{
	return by_epoll_wait(FD, 0, -1);
}

static long in_epoll_pwait(void)
{
	return by_epoll_pwait(FD, 0, -1);
}

static long in_epoll_pwait2(void)
{
	return by_epoll_pwait2(FD, 0, -1);
}

static long in_edge(void)
{
	return by_edge(FD, 0, -1);
}

static long in_fgets(void)
{
	static FILE *f;
	char data[16];

	if (!f)
		f = fdopen(FD, "r");
	if (!f)
		abort();
	clearerr(f);
	return fgets(data, sizeof data, f) ? (long)strlen(data) : -1;
}

static const struct in_call {
	const char *name;
	long (*call)(void);
	char what;			/* r, w: data; c, a; p: polls */
} in_calls[] = {
	{ "recv", in_recv, 'r' }, { "read", in_read, 'r' },
	{ "fgets", in_fgets, 'r' }, { "send", in_send, 'w' },
	{ "connect", do_connect, 'c' }, { "accept", do_accept, 'a' },
	{ "poll", in_poll, 'p' }, { "ppoll", in_ppoll, 'p' },
	{ "select", in_select, 'p' }, { "pselect", in_pselect, 'p' },
	{ "epoll_wait", in_epoll_wait, 'p' },
	{ "epoll_pwait", in_epoll_pwait, 'p' },
	{ "epoll_pwait2", in_epoll_pwait2, 'p' }, { "edge", in_edge, 'p' },
};

#define N_IN_CALLS (sizeof in_calls / sizeof *in_calls)

static const char *in_rule(const struct in_call *c)
{
	switch (c->what) {
	case 'w': return "send fd=100 limit=1 stall=@T@";
	case 'c': return "connect fd=100 limit=1 inprogress=@T@";
	case 'a': return "accept fd=100 limit=1 stall=@T@";
	default: return "recv fd=100 limit=1 stall=@T@";
	}
}

/* in_scene: everything up to the call, which will wait until the moment. */
static void in_scene(const struct in_call *c)
{
	if (c->what == 'c') {
		make_unconnected();
		mark();
		really(syn_arrives);
	} else if (c->what == 'a') {
		make_server();
		client_comes();
		look(LATER, FD, POLLIN, -1);
		steal();
	} else {
		make_gated(c->what == 'w');
		s.level = s.edge = new_set();
		if (c->what == 'p')
			watch(s.level, FD, POLLIN |
			      (c->call == in_edge ? EPOLLET : 0), 7);
		mark();
		later(c->what == 'w' ? peer_drains : peer_sends);
	}
}

/* tell_call: polls give bits. */
static void tell_call(enum phase phase, const struct in_call *c, long ret)
{
	tell(phase, c->name, c->what == 'p' ? bits(ret) : num(ret));
}

static void in_result(const struct in_call *c)
{
	if (c->what == 'w')
		peer_gets();
	else if (c->what == 'p')
		take(AFTER);
	else if (c->what == 'c')
		served();
}

/* ---- time-outs ---------------------------------------------------------- */

static void timed_out(const struct in_call *c)
{
	int which = strchr("wc", c->what) ? SO_SNDTIMEO : SO_RCVTIMEO;
	int64_t begin;

	in_scene(c);
	timeout_of(which, 40);
	for (int i = 0; i < 2; i++) {
		begin = now();
		tell_call(BEFORE, c, c->call());
		if (now() - begin < 30 * MS)	/* but for a tick */
			say("before its time-out\n");
	}
	timeout_of(which, 25000);
	tell_call(AFTER, c, c->call());
	in_result(c);
}

/* ---- signals ------------------------------------------------------------ */

static void interrupted(const struct in_call *c, bool restart, bool timeo)
{
	int which = strchr("wc", c->what) ? SO_SNDTIMEO : SO_RCVTIMEO;
	bool again = c->what == 'p' || !restart || timeo;

	in_scene(c);
	if (timeo)
		timeout_of(which, 25000);
	kick_when_asleep(restart);
	if (again)
		tell_call(BEFORE, c, c->call());
	tell_call(AFTER, c, c->call());
	say("%d signals\n", (int)signals);
	in_result(c);
}

/* on_handled: a handler may make calls at the gate itself. */
static void on_handled(int sig)
{
	char data[8];
	int error = errno;

	(void)sig;
	tell(BEFORE, "handler's recv", num(recv(FD, data, 8, MSG_DONTWAIT)));
	look(BEFORE, FD, POLLIN, 0);
	errno = error;
}

static void handled(const struct in_call *c)
{
	struct sigaction hear = { .sa_handler = on_handled,
				  .sa_flags = SA_RESTART };

	in_scene(c);
	kick_when_asleep(true);
	sigaction(SIGUSR1, &hear, NULL);
	if (c->what == 'p')
		tell_call(BEFORE, c, c->call());
	tell_call(AFTER, c, c->call());
	in_result(c);
}

/* jumped: out of the call, which leaves nothing behind. */
static sigjmp_buf before_call;

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(before_call, 1);
}

static void jumped(const struct in_call *c)
{
	struct sigaction hear = { .sa_handler = on_jump };

	in_scene(c);
	if (!sigsetjmp(before_call, 1)) {
		kick_when_asleep(false);
		sigaction(SIGUSR1, &hear, NULL);
		tell_call(BEFORE, c, c->call());
	}
	tell(BEFORE, "jump", "done");
	tell_call(AFTER, c, c->call());
	in_result(c);
}

/* The mask that a wait brings along, and the one there is otherwise. */
static int masked_wait(int way, const sigset_t *mask)
{
	struct pollfd p = { FD, POLLIN, 0 };
	struct epoll_event e = { 0 };
	fd_set r;

	FD_ZERO(&r);
	FD_SET(FD, &r);
	switch (way) {
	case 'p': return ppoll(&p, 1, NULL, mask);
	case 's': return pselect(FD + 1, &r, NULL, NULL, NULL, mask);
	case 'e': return epoll_pwait(s.level, &e, 1, -1, mask);
	default: return epoll_pwait2(s.level, &e, 1, NULL, mask);
	}
}

/*
 * masked: a small letter, the signal is let in by the wait only; a capital, it
 * is kept out by it.
 */
static void masked(int way)
{
	bool lets = way & 0x20;
	sigset_t none, usr1, then;

	make_pair(false);
	s.level = new_set();
	watch(s.level, FD, POLLIN, 7);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	mark();
	later(peer_sends);
	kick_when_asleep(true);
	sigprocmask(SIG_SETMASK, lets ? &usr1 : &none, NULL);
	way |= 0x20;
	if (lets) {			/* while it waits; then before */
		tell(BEFORE, "wait", num(masked_wait(way, &none)));
		raise(SIGUSR1);
		tell(BEFORE, "signals", num(signals));
		tell(BEFORE, "wait", num(masked_wait(way, &none)));
	}
	tell(AFTER, "wait", num(masked_wait(way, &usr1)));
	tell(AFTER, "signals", num(signals));
	sigprocmask(SIG_SETMASK, NULL, &then);
	tell(AFTER, "blocked", num(sigismember(&then, SIGUSR1)));
	take(AFTER);
}

/* ---- cancellation ------------------------------------------------------- */

static void cancelled(const struct in_call *c)
{
	struct waiter w = { 0 };
	void *result;

	in_scene(c);
	start_waiter(&w, c->call);
	pthread_cancel(w.thread);
	pthread_join(w.thread, &result);
	tell(BEFORE, "thread", result == PTHREAD_CANCELED ? "cancelled" :
	     "ended");
	tell_call(AFTER, c, c->call());
	in_result(c);
}
