/* SPDX-License-Identifier: MIT */
/*
 * Other threads: one that already waits on the socket when the event comes
 * (in-poll, in-recv ... of WAIT), one that makes the event happen while the
 * program is in its call, and a name server.
 */

/* ---- the waiter -------------------------------------------------------- */

static struct waiter {
	pthread_t thread;
	volatile pid_t tid;		/* set just before its call */
	const char *via;		/* NULL: there is no waiter */
	int bits;
	ssize_t n;
	int error;
	int64_t over;			/* when it returned */
} waiter;

static void *wait_in(void *unused)
{
	const struct data_way *d = data_way(recv_ways, waiter.via);
	const struct wait_way *w = wait_way(waiter.via);
	char data[16];

	(void)unused;
	waiter.tid = gettid();
	if (d)
		waiter.n = d->call(FD, data, sizeof data);
	else
		waiter.bits = w->call(FD, POLLIN | POLLRDHUP, -1);
	waiter.error = errno;
	waiter.over = now_ms();
	return NULL;
}

/* start_waiter: and wait until it waits. */
static void start_waiter(void)
{
	const char *in = strstr(s.wait, "in-");
	static char via[20];

	if (!in)
		return;
	snprintf(via, sizeof via, "%.*s", (int)strcspn(in + 3, "+"), in + 3);
	waiter.via = via;
	need(-pthread_create(&waiter.thread, NULL, wait_in, NULL), "thread");
	until(waiter.tid && asleep(waiter.tid));
}

/*
 * hold_waiter: the kernel lets either of two threads have the error; an
 * injected one is had by the thread whose call the rule names.  So here too:
 * the other one is in its call, but also in a signal handler for a moment.
 */
static void hold_waiter(void)
{
	if (waiter.via && data_way(recv_ways, waiter.via) && s.mode == REAL) {
		pthread_kill(waiter.thread, SIGUSR2);
		until(holding);
	}
}

/*
 * end_waiter: what it got.  ERR is left out: it is there or not, as the
 * thread woke before or after the other one had taken the error.
 */
static void end_waiter(void)
{
	if (!waiter.via)
		return;
	if (data_way(recv_ways, waiter.via)) {
		if (s.mode == REAL)
			sem_post(&held);
		pthread_join(waiter.thread, NULL);
		say(" in-%s=%s", waiter.via, waiter.n > 0 ? "data" :
		    waiter.n < 0 ? name_of(waiter.error) : "0");
	} else {
		pthread_join(waiter.thread, NULL);
		errno = waiter.error;
		say_bits(strstr(s.wait, "in-"),
			 waiter.bits < 0 ? -1 : waiter.bits & ~POLLERR);
	}
}

/* ---- the event, while the program is in its call ------------------------- */

static pthread_t striker;
static bool striking;
static volatile bool in_call;		/* set just before the faulted call */

static void *strike(void *unused)
{
	(void)unused;
	until(in_call && asleep(s.tid));
	if (s.event->strike)
		s.event->strike();
	else
		s.event->begin();
	return NULL;
}

/* strikes: the event comes during the call and not before it. */
static bool strikes(char faulted)
{
	if (s.event->strike)
		return true;
	return s.block && dead() && faulted == 'R' && !waiter.via &&
	       !strchr(s.order, 'w');
}

static void begin_event(char faulted)
{
	start_waiter();
	if (s.mode == SOURCE && dead() && s.peer >= 0)
		peer_resets();
	if (s.mode != REAL || !s.event)
		return;
	hold_waiter();
	striking = strikes(faulted);
	if (s.event->strike || !striking)
		s.event->begin();
	if (striking)
		need(-pthread_create(&striker, NULL, strike, NULL), "thread");
}

static void end_event(void)
{
	if (s.mode != REAL || !s.event)
		return;
	if (striking)
		pthread_join(striker, NULL);
	striking = false;
	if (s.event->end)
		s.event->end();
}

/* ---- a name server ------------------------------------------------------- */

static int dns_fd = -1;

/* dns_answer: turn a question into its answer; its length, 0: none. */
static size_t dns_answer(unsigned char *m, size_t len)
{
	static const unsigned char record[] = {
		0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7
	};

	if (dns_code < 0 || len < 12)
		return 0;
	m[2] |= 0x84;			/* an answer, with authority */
	m[3] = 0x80 | (dns_code < 16 ? dns_code : 0);
	if (dns_code == 0 && m[len - 3] == 1) {	/* type A */
		m[7] = 1;
		memcpy(m + len, record, sizeof record);
		len += sizeof record;
	}
	return len;
}

static void *dns_serve(void *unused)
{
	unsigned char m[600];
	union addr from;

	(void)unused;
	for (;;) {
		socklen_t fromlen = sizeof from;
		ssize_t n = recvfrom(dns_fd, m, 512, 0, &from.any, &fromlen);
		size_t len = n > 0 ? dns_answer(m, n) : 0;

		if (len)
			sendto(dns_fd, m, len, 0, &from.any, fromlen);
	}
	return NULL;
}

/* use_dns: the resolver of this thread asks our server, and no file. */
static void use_dns(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	pthread_t t;

	dns_fd = need(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	need(bind(dns_fd, (void *)&a, sizeof a), "bind");
	need(getsockname(dns_fd, (void *)&a, &len), "getsockname");
	need(-pthread_create(&t, NULL, dns_serve, NULL), "thread");
	need(res_init(), "res_init");
	_res.nsaddr_list[0] = a;
	_res.nscount = 1;
	_res.retrans = 1;
	_res.retry = 1;
	_res.options &= ~(RES_DNSRCH | RES_DEFNAMES | RES_USE_EDNS0);
}
