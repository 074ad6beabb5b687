/* SPDX-License-Identifier: MIT */
/*
 * delay= and signal=.
 */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int lis = -1;			/* a listener, and where it is */
static union addr lis_addr;
static socklen_t lis_len;

static void listening(void)
{
	lis = bound(kind, &lis_addr, &lis_len);
	need(listen(lis, 10));
}

static long slow_socket(void) { return socket(AF_INET, SOCK_STREAM, 0); }

static long slow_connect(void)
{
	return connect(FD, &lis_addr.any, lis_len);
}

static long slow_accept(void) { return peer = accept(lis, NULL, NULL); }
static long slow_send(void) { return send(FD, "abc", 3, 0); }
static long slow_write(void) { return write(FD, "abc", 3); }
static long slow_recv(void) { return recv(peer, text, 2, 0); }
static long slow_read(void) { return read(peer, text, 2); }
static long slow_eagain(void) { return recv(FD, text, 2, MSG_DONTWAIT); }
static long slow_poll(void) { return poll_bits(FD, POLLOUT, -1); }
static long slow_listen(void) { return listen(lis, 20); }

static long slow_sockopt(void)
{
	return setsockopt(FD, SOL_SOCKET, SO_KEEPALIVE, text, 4);
}

static long slow_bind(void)
{
	union addr a;
	socklen_t len = address(AF_INET, "127.0.0.1", &a);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return bind(fd, &a.any, len);
}

static long slow_resolve(void)
{
	struct addrinfo *all = NULL;
	long r = getaddrinfo("127.0.0.1", "80", NULL, &all);

	freeaddrinfo(all);
	return r;
}

static long slow_shutdown(void) { return shutdown(FD, SHUT_WR); }
static long slow_close(void) { return close(FD); }

static const struct {
	const char *name;
	long (*call)(void);
} slow[] = {
#define SLOW(name) { #name, slow_##name }
	SLOW(connect), SLOW(accept), SLOW(send), SLOW(write), SLOW(recv),
	SLOW(read), SLOW(eagain), SLOW(poll), SLOW(listen), SLOW(sockopt),
	SLOW(bind), SLOW(resolve), SLOW(shutdown), SLOW(close),
	SLOW(socket),
#undef SLOW
};

static void on_nothing(int sig)
{
	(void)sig;
}

/* delay MS: every call takes that long at least, whatever comes between. */
static void case_delay(void)
{
	struct itimerval every = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction act = { .sa_handler = on_nothing };
	int64_t least = atoi(args[0]) * INT64_C(1000000);

	listening();
	put(slow_socket());
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (size_t i = 0; i < COUNT(slow); i++) {
		int64_t begin = now_ns();
		long r = slow[i].call();
		bool early = now_ns() - begin < least;
		printf("%s %s %s\n", slow[i].name, r < 0 ? told(r) : "ok",
		       early ? "early" : "in time");
	}
}

/* What a handler has seen. */
static volatile sig_atomic_t signals, strangers, too_late_by;

static void on_signal(int sig)
{
	int n = -1;

	(void)sig;
	signals++;
	strangers += gettid() != writer;
	ioctl(peer, FIONREAD, &n);
	too_late_by += n;
}

static void *signalled(void *unused)
{
	char data[4];

	writer = gettid();
	say_ret("send", send(FD, "abc", 3, 0), NULL);
	printf("/%d", signals);
	say_ret("recv", recv(peer, data, 4, MSG_DONTWAIT), data);
	printf("/%d", signals);
	say_ret("send", send(FD, "def", 3, 0), NULL);
	printf("/%d", signals);
	if (is_pending(SIGUSR1))
		printf(" pending");
	return unused;
}

/* signal [block]: in the thread that calls, before its call is made. */
static void case_signal(void)
{
	sigset_t set;
	pthread_t t;

	connected(kind);
	if (strcmp(args[0], "default"))
		signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	if (!strcmp(args[0], "blocked"))
		pthread_sigmask(SIG_BLOCK, &set, NULL);
	t = begun(signalled, NULL);
	pthread_join(t, NULL);
	printf(" %d strangers, late by %d%s\n", strangers, too_late_by,
	       is_pending(SIGUSR1) ? " pending here" : "");
}
