/* SPDX-License-Identifier: MIT */
/*
 * Calls that are left in the middle: cancelled, or jumped out of by a handler;
 * and calls that a handler makes in the middle of another.
 */
static int nobodys = -1;		/* a listener without clients */

static ssize_t by_accept(int fd, char *data, size_t n, int flags)
{
	(void)fd, (void)data, (void)n, (void)flags;
	return accept(nobodys, NULL, NULL);
}

static ssize_t by_ppoll(int fd, char *data, size_t n, int flags)
{
	struct pollfd p = { fd, POLLIN, 0 };

	(void)data, (void)n, (void)flags;
	return ppoll(&p, 1, NULL, NULL);
}

static void *waits_for_ever(void *call)
{
	char data[64];

	waiter = gettid();
	/* what was full may have room for a moment */
	while (((const struct way *)call)->call(FD, data, sizeof data, 0) >= 0)
		;
	return NULL;
}

static void cancel(const struct way *w)
{
	pthread_t t;
	void *end;

	waiter = 0;
	t = begun(waits_for_ever, (void *)w);
	until_asleep(&waiter);
	need(-pthread_cancel(t));
	pthread_join(t, &end);
	printf("%s %s\n", w->name, end == PTHREAD_CANCELED ? "cancelled"
							   : "not");
}

/* cancel: a call that is cancelled leaves everything fit for the next. */
static void case_cancel(void)
{
	static const struct way others[] = {
		{ "accept", by_accept, false, false },
		{ "ppoll", by_ppoll, false, false },
	};
	union addr a;
	socklen_t len;

	make_text();
	nobodys = bound(kind, &a, &len);
	need(listen(nobodys, 5));
	connected(kind);
	for (size_t i = 0; i < 3 * COUNT(in_ways); i++)
		cancel(&in_ways[i % COUNT(in_ways)]);
	for (size_t i = 0; i < COUNT(others); i++)
		cancel(&others[i]);
	fill();
	for (size_t i = 0; i < 7; i++)
		cancel(&out_ways[i]);
	connected(kind);
	most = TEXT;
	way = &in_ways[0];
	printf("after %s\n", all_in() ? "ok" : "bad");
}

/*
 * handler: sends on its own connection, while a call on another one is at any
 * point of its work; both streams are whole.
 */
static int own[2];
static volatile sig_atomic_t handled, handled_bytes, mishandled;

static void on_timer(int sig)
{
	char data[3] = "hhh";
	ssize_t n = send(own[0], data, 3, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)sig;
	handled++;
	handled_bytes += n > 0 ? n : 0;
	while ((n = recv(own[1], data, 3, MSG_DONTWAIT)) > 0)
		handled_bytes -= n;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		mishandled++;
}

static void case_handler(void)
{
	struct itimerval every = { { 0, 150 }, { 0, 150 } }, never = { 0 };
	struct sigaction act = { .sa_handler = on_timer,
				 .sa_flags = SA_RESTART };
	int bad = 0;

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	make_pair(kind, own);
	connected(kind);
	sigaction(SIGALRM, &act, NULL);
	need(setitimer(ITIMER_REAL, &every, NULL));
	for (int i = 0; handled < 200; i++) {
		way = &in_ways[i % 7];
		bad += !all_in();
		way = &out_ways[i % 7];
		bad += !all_out();
	}
	need(setitimer(ITIMER_REAL, &never, NULL));
	for (ssize_t n; (n = recv(own[1], got, 3, MSG_DONTWAIT)) > 0;)
		handled_bytes -= n;
	printf("%d bad, %d mishandled, %d lost\n", bad, mishandled,
	       handled_bytes);
}

/* jump: out of a call, as often as it likes; the next ones are as ever. */
static sigjmp_buf back;

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static void case_jump(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 1500 } };
	volatile int jumps = 0;
	struct iovec iov[20];
	char data[100];

	kind = kind_named(args[0]);
	most = atoi(args[1]);
	make_text();
	connected(kind);
	signal(SIGALRM, on_jump);
	for (int i = 0; i < 20; i++)
		iov[i] = (struct iovec){ data + 5 * i, 5 };
	while (jumps < 60) {
		if (sigsetjmp(back, 1)) {
			jumps++;
			continue;
		}
		need(setitimer(ITIMER_REAL, &soon, NULL));
		if (jumps & 1)
			readv(FD, iov, 20);
		else
			recv(FD, data, 100, 0);
	}
	signal(SIGALRM, SIG_IGN);
	way = &in_ways[5];
	printf("%d jumps, %s\n", jumps, all_in() ? "ok" : "bad");
}
