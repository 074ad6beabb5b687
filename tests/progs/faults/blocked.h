/* SPDX-License-Identifier: MIT */
/*
 * Another thread is in its call already.  Thread B waits; then thread A's call
 * meets the rule, or with -r the peer resets and A makes its call after it.
 * Either of the two may have the error, but one of them has it, and the other
 * what Linux then says.
 */
static volatile pid_t waiter;
static ssize_t waiter_ret;
static int waiter_err;
static volatile sig_atomic_t all_pipes;

static ssize_t by_wait_peek(void)
{
	char byte;

	return recv(FD, &byte, 1, MSG_PEEK);
}

static ssize_t by_wait_getc(void)
{
	FILE *f = fdopen(dup(FD), "r");
	int c = getc(f);

	return c == EOF ? (ferror(f) ? -1 : 0) : 1;
}

static ssize_t by_wait_poll(void)
{
	return poll_bits(FD, POLLIN | POLLRDHUP, -1);
}

static ssize_t by_wait_ppoll(void)
{
	struct pollfd p = { FD, POLLIN | POLLRDHUP, 0 };

	need(ppoll(&p, 1, NULL, NULL));
	return p.revents;
}

static ssize_t by_wait_select(void)
{
	fd_set in, ex;

	FD_ZERO(&in);
	FD_SET(FD, &in);
	FD_ZERO(&ex);
	FD_SET(FD, &ex);
	need(select(FD + 1, &in, NULL, &ex, NULL));
	return FD_ISSET(FD, &in) + 2 * FD_ISSET(FD, &ex);
}

static ssize_t by_wait_pselect(void)
{
	fd_set in;

	FD_ZERO(&in);
	FD_SET(FD, &in);
	return need(pselect(FD + 1, &in, NULL, NULL, NULL, NULL));
}

static ssize_t wait_epoll(unsigned more)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | more };
	int set = need(epoll_create1(0));

	need(epoll_ctl(set, EPOLL_CTL_ADD, FD, &ev));
	need(epoll_wait(set, &ev, 1, -1));
	return ev.events;
}

static ssize_t by_wait_level(void) { return wait_epoll(0); }
static ssize_t by_wait_edge(void) { return wait_epoll(EPOLLET); }
static ssize_t by_wait_oneshot(void) { return wait_epoll(EPOLLONESHOT); }

/* The buffers are full; what went before does not count. */
static ssize_t by_wait_send(void)
{
	return send(FD, text, sizeof text, 0);
}

static ssize_t by_wait_write(void)
{
	return write(FD, text, sizeof text);
}

/* For data by all of in_ways, and by these; for readiness. */
static const struct waiting {
	const char *name;
	ssize_t (*call)(void);
	bool data;
} waits_for[] = {
	{ "peek", by_wait_peek, true }, { "getc", by_wait_getc, true },
	{ "send", by_wait_send, true }, { "write", by_wait_write, true },
	{ "poll", by_wait_poll, false }, { "ppoll", by_wait_ppoll, false },
	{ "select", by_wait_select, false },
	{ "pselect", by_wait_pselect, false },
	{ "level", by_wait_level, false }, { "edge", by_wait_edge, false },
	{ "oneshot", by_wait_oneshot, false },
};

static const struct waiting *waiting;	/* NULL: way is what B does */

static void on_any_pipe(int sig)
{
	(void)sig;
	all_pipes++;
}

static void *waits_there(void *unused)
{
	char data[64];

	waiter = gettid();
	waiter_ret = waiting ? waiting->call() : way->call(FD, data, 64, 0);
	waiter_err = errno;
	return unused;
}

static bool waits_to_send(void)
{
	return waiting && (waiting->call == by_wait_send ||
			   waiting->call == by_wait_write);
}

/* fill: nothing more fits, in whichever buffer. */
static void fill(void)
{
	nonblocking(FD, true);
	while (raw(SYS_write, FD, (long)text, sizeof text) > 0)
		;
	while (raw(SYS_write, FD, (long)text, 1) > 0)
		;
	nonblocking(FD, false);
}

static ssize_t act(char what)
{
	char data[8];

	switch (what) {
	case 'w': return send(FD, "a", 1, MSG_DONTWAIT);
	case 'r': return recv(FD, data, 8, MSG_DONTWAIT);
	default: return shutdown(FD, SHUT_WR);
	}
}

/* What a call says that comes too late for the error. */
static const char *too_late(bool sends)
{
	return sends ? "EPIPE" : "0";
}

/*
 * legal: one has the error, the other what then comes, and signals come with
 * EPIPE alone.  Shutdown takes no error.
 */
static bool legal(const char *a, const char *b)
{
	const char *error = args[2];
	bool a_sends = *args[1] == 'w';
	int epipes = !strcmp(a, "EPIPE") + !strcmp(b, "EPIPE");

	if (all_pipes != epipes)
		return false;
	if (*args[1] == 's')
		return !strcmp(a, "ENOTCONN") && !strcmp(b, error);
	return (!strcmp(a, error) && !strcmp(b, too_late(waits_to_send()))) ||
	       (!strcmp(b, error) && !strcmp(a, too_late(a_sends)));
}

static void say_waiter(const char *a)
{
	const char *b;

	errno = waiter_err;
	b = told(waiter_ret);
	if (waiting && strstr(waiting->name, "select"))
		printf(" %s %zd", a, waiter_ret);
	else if (waiting && !waiting->data)
		say_bits(a, waiter_ret & ~POLLERR);
	else if (legal(a, b))
		printf(" legal");
	else
		printf(" A %s, B %s, %d SIGPIPE", a, b, all_pipes);
}

static void blocked(void)
{
	const char *acted;
	pthread_t t;

	connected(kind);
	signal(SIGPIPE, on_any_pipe);
	if (waits_to_send())
		fill();
	t = begun(waits_there, NULL);
	until_asleep(&waiter);
	if (real)
		peer_resets();
	acted = told(act(*args[1]));
	pthread_join(t, NULL);
	say_waiter(acted);
	so_error(FD);
	say_poll(FD);
	say_ret("recv", recv(FD, text, 1, MSG_DONTWAIT), NULL);
	say_ret("send", send(FD, text, 1, MSG_NOSIGNAL), NULL);
}

/* blocked KIND r|w|s ERROR: what A calls, and what is to be the error. */
static void case_blocked(void)
{
	kind = kind_named(args[0]);
	for (size_t i = 0; i < COUNT(in_ways) + COUNT(waits_for); i++) {
		bool moves = i < COUNT(in_ways);
		way = moves ? &in_ways[i] : NULL;
		waiting = moves ? NULL : &waits_for[i - COUNT(in_ways)];
		printf("%s", moves ? way->name : waiting->name);
		apart(blocked);
	}
}
