/* SPDX-License-Identifier: MIT */
/*
 * The sockets of a case: FD, its peer, and what the peer does.
 */

static void option(int fd, int level, int name, int value)
{
	need(setsockopt(fd, level, name, &value, sizeof value), "setsockopt");
}

/* timeout_of: SO_RCVTIMEO or SO_SNDTIMEO. */
static void timeout_of(int name, int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	need(setsockopt(FD, SOL_SOCKET, name, &t, sizeof t), "setsockopt");
}

static void blocking(int fd, bool is)
{
	need(fcntl(fd, F_SETFL, O_RDWR | (is ? 0 : O_NONBLOCK)), "fcntl");
}

/* put: a socket gets its number. */
static void put(int fd, int number)
{
	need(dup2(fd, number), "dup2");
	close(fd);
}

static int type_of(enum proto proto)
{
	return proto & (TCP | STREAM) ? SOCK_STREAM :
	       proto == SEQ ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static bool is_inet(void)
{
	return s.proto & (TCP | UDP);
}

static int new_socket(void)
{
	return need(socket(is_inet() ? AF_INET : AF_UNIX,
			   type_of(s.proto) | SOCK_CLOEXEC, 0), "socket");
}

/* bind_it: to an address of its own; there is where it is. */
static void bind_it(int fd, union addr *a, socklen_t *len)
{
	memset(a, 0, sizeof *a);
	a->any.sa_family = is_inet() ? AF_INET : AF_UNIX;
	if (is_inet())
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(bind(fd, &a->any, is_inet() ? sizeof a->in :
		  sizeof(sa_family_t)), "bind");
	*len = sizeof *a;
	need(getsockname(fd, &a->any, len), "getsockname");
}

static void make_listener(int backlog)
{
	s.lis = new_socket();
	bind_it(s.lis, &s.there, &s.therelen);
	need(listen(s.lis, backlog), "listen");
}

static void small_buffers(int fd)
{
	option(fd, SOL_SOCKET, SO_SNDBUF, 4096);
	option(fd, SOL_SOCKET, SO_RCVBUF, 4096);
}

static void tcp_pair(bool small)
{
	int fd = new_socket();

	make_listener(5);
	if (small) {
		small_buffers(s.lis);
		small_buffers(fd);
	}
	need(connect(fd, &s.there.any, s.therelen), "connect");
	s.peer = need(accept(s.lis, NULL, NULL), "accept");
	close(s.lis);
	put(fd, FD);
	option(s.peer, IPPROTO_TCP, TCP_NODELAY, 1);
}

static void udp_pair(void)
{
	union addr here;
	socklen_t herelen;
	int fd = new_socket();

	s.peer = new_socket();
	bind_it(s.peer, &s.there, &s.therelen);
	bind_it(fd, &here, &herelen);
	need(connect(fd, &s.there.any, s.therelen), "connect");
	need(connect(s.peer, &here.any, herelen), "connect");
	put(fd, FD);
}

/* make_pair: FD and its peer.  small: buffers that are soon full. */
static void make_pair(bool small)
{
	int p[2];

	if (s.proto == TCP) {
		tcp_pair(small);
	} else if (s.proto == UDP) {
		udp_pair();
	} else {
		need(socketpair(AF_UNIX, type_of(s.proto) | SOCK_CLOEXEC, 0,
				p), "socketpair");
		s.peer = p[1];
		put(p[0], FD);
		if (small && s.proto != DGRAM)
			small_buffers(FD);
	}
}

/*
 * fill: until there is no room, and none comes of itself.  TCP goes on to move
 * data for a while: delayed acknowledgements, the first probes of a window.
 */
static void fill(void)
{
	static const char filler[512];
	int64_t last = now();
	ssize_t n;

	do {
		while ((n = send(FD, filler, s.proto == DGRAM ? 1 :
				 sizeof filler, MSG_DONTWAIT)) > 0) {
			s.filled += n;
			last = now();
		}
		pause_a_bit();
	} while (s.proto == TCP && now() - last < 300 * MS);
}

/* ---- what the peer does ------------------------------------------------- */

static void peer_sends(void)
{
	char data[PIECE] = { 0, 0, 0, 0, '\n' };

	memset(data, 'a' + s.sent++ % 26, PIECE - 1);
	if (send(s.peer, data, PIECE, 0) != PIECE)
		abort();
}

static void peer_sends_twice(void)
{
	peer_sends();
	peer_sends();
}

static void peer_ends(void)
{
	shutdown(s.peer, SHUT_WR);
}

static void peer_resets(void)
{
	struct linger now = { 1, 0 };

	setsockopt(s.peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(s.peer);
}

static void peer_drains(void)
{
	static char data[65536];
	ssize_t n;

	while (s.filled > 0) {
		n = need(recv(s.peer, data, s.filled < sizeof data ? s.filled :
			      sizeof data, 0), "recv");
		s.filled -= n;
	}
}

/* peer_gets: what the program has sent. */
static void peer_gets(void)
{
	char data[40];
	ssize_t n;

	join_helper();
	blocking(s.peer, true);
	n = recv(s.peer, data, sizeof data, 0);
	tell(LATER, "peer's recv", piece(data, n));
}

/* ---- what the program does ---------------------------------------------- */

/* take: tells what recv gives. */
static ssize_t take(enum phase phase)
{
	char data[40];
	ssize_t n = recv(FD, data, sizeof data, 0);

	tell(phase, "recv", piece(data, n));
	return n;
}

static long in_recv(void)
{
	char data[16];

	return recv(FD, data, sizeof data, 0);
}

static void give(enum phase phase)
{
	tell(phase, "send", num(send(FD, "ssss\n", PIECE, MSG_NOSIGNAL)));
}

static void error_of(enum phase phase)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(FD, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	tell(phase, "SO_ERROR", error ? strerrorname_np(error) : "0");
}

static void look(enum phase phase, int fd, int events, int timeout)
{
	struct pollfd p = { fd, events, 0 };
	int n = poll(&p, 1, timeout);

	tell(phase, "poll", n < 0 ? num(n) : bits(p.revents));
}

/* ---- epoll -------------------------------------------------------------- */

static int new_set(void)
{
	return need(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
}

static int control(int set, int op, int fd, unsigned events, int data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	return epoll_ctl(set, op, fd, &e);
}

static void watch(int set, int fd, unsigned events, int data)
{
	need(control(set, EPOLL_CTL_ADD, fd, events, data), "epoll_ctl");
}

static int by_data(const void *a, const void *b)
{
	const struct epoll_event *x = a, *y = b;

	if (x->data.u64 != y->data.u64)
		return x->data.u64 > y->data.u64 ? 1 : -1;
	return (x->events > y->events) - (x->events < y->events);
}

/* events_of: what epoll_wait reports, in the order of the data. */
static const char *events_of(int set, int max, int timeout)
{
	static _Thread_local char text[400];
	struct epoll_event e[8];
	int n = epoll_wait(set, e, max, timeout);
	size_t len = 0;

	if (n <= 0)
		return num(n);
	qsort(e, n, sizeof *e, by_data);
	for (int i = 0; i < n; i++)
		len += snprintf(text + len, sizeof text - len, "%s%d: %s",
				i ? ", " : "", (int)e[i].data.u64,
				bits(e[i].events));
	return text;
}

static void report(enum phase phase, int set, int timeout)
{
	tell(phase, "epoll_wait", events_of(set, 8, timeout));
}
