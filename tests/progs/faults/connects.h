/* SPDX-License-Identifier: MIT */
/*
 * Connects that fail or go on; datagrams, pairs and addresses.
 */

/*
 * connects KIND LETTERS: B bind first, N nonblocking; then c connect, w wait
 * for it, n names, g receive, S send, or as in unread.  There is a
 * listener, but for -r, and it must not hear of it.
 */
static int bound_port;

static void bind_first(void)
{
	union addr a;
	socklen_t len = address(kind->domain, kind->ip, &a);

	need(bind(FD, &a.any, len));
	bound_port = port_of(FD);
}

static void say_local(void)
{
	union addr a;
	socklen_t len = sizeof a;

	say_ret("getpeername", getpeername(FD, &a.any, &len), NULL);
	if (bound_port)
		printf(" port %s", port_of(FD) == bound_port ? "kept" : "lost");
}

static void connect_probe(char letter)
{
	switch (letter) {
	case 'B': bind_first(); break;
	case 'N': nonblocking(FD, true); break;
	case 'c': say_ret("connect", slow_connect(), NULL); break;
	case 'w': poll_bits(FD, POLLOUT, -1); break;
	case 'n': say_local(); break;
	case 'g':
		say_ret("recv", recv(FD, text, 1, MSG_DONTWAIT), NULL);
		break;
	case 'S':
		say_ret("send", send(FD, text, 1, MSG_NOSIGNAL | MSG_DONTWAIT),
			NULL);
		break;
	default: probe(letter);
	}
}

static void connects(void)
{
	union addr a;
	socklen_t len = sizeof a;
	int c;

	listening();
	if (args[2])		/* no such place */
		lis_len = address(AF_INET, args[2], &lis_addr);
	if (args[2])
		lis_addr.in.sin_port = htons(9);
	if (real)
		close(lis);
	put(need(socket(kind->domain, SOCK_STREAM, 0)));
	for (const char *at = args[1]; *at; at++)
		connect_probe(*at);
	if (real)
		return;
	nonblocking(lis, true);
	c = accept(lis, &a.any, &len);
	if (c >= 0 || errno != EAGAIN)
		printf(" the listener has heard of it");
}

static void case_connects(void)
{
	kind = kind_named(args[0]);
	way = in_ways;
	apart(connects);
}

/* goes_on KIND: EINTR, and the handshake goes on; with -r it just does. */
static void case_goes_on(void)
{
	char data[4];
	long r;

	kind = kind_named(args[0]);
	listening();
	put(need(socket(kind->domain, SOCK_STREAM, 0)));
	nonblocking(FD, real);
	r = slow_connect();
	printf("%s", real && r < 0 && errno == EINPROGRESS ? "EINTR" : told(r));
	say_bits("poll", poll_bits(FD, POLLOUT, -1));
	nonblocking(FD, false);
	say_so_error(FD);
	say_ret("connect", slow_connect(), NULL);
	say_ret("connect", slow_connect(), NULL);
	peer = need(accept(lis, NULL, NULL));
	say_ret("send", send(FD, "abc", 3, 0), NULL);
	say_ret("peer", recv(peer, data, 4, 0), data);
	printf(" F_GETFL=%d\n", fcntl(FD, F_GETFL) & O_NONBLOCK);
}

/* ---- datagrams, pairs, addresses --------------------------------------- */

/* refused: every second datagram learns of the one before. */
static void case_refused(void)
{
	union addr a;
	socklen_t len;
	char data[4];
	int fd;

	kind = kind_named("udp");
	fd = bound(kind, &a, &len);
	put(need(socket(AF_INET, SOCK_DGRAM, 0)));
	need(connect(FD, &a.any, len));
	if (real)
		close(fd);
	for (int i = 0; i < 6; i++)
		say_ret("send", send(FD, "abc", 3, MSG_DONTWAIT), NULL);
	say_ret("recv", recv(FD, data, 4, MSG_DONTWAIT), NULL);
	putchar('\n');
}

/* too_long: a datagram that does not go leaves the socket as it was. */
static void case_too_long(void)
{
	static char data[70000];
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iovlen = 0 } },
				{ .msg_hdr = { .msg_iovlen = 0 } } };

	kind = kind_named("udp");
	connected(kind);
	say_ret("send", send(FD, data, real ? 70000 : 3, 0), NULL);
	say_ret("send", send(FD, data, 3, 0), NULL);
	say_ret("peer", recv(peer, data, 70000, MSG_DONTWAIT), NULL);
	say_ret("peer", recv(peer, data, 70000, MSG_DONTWAIT), NULL);
	say_ret("sendmmsg", sendmmsg(FD, m, 2, 0), NULL);
	putchar('\n');
}

static void case_pairs(void)
{
	int end[2] = { -5, -6 }, r;

	if (real)
		no_descriptors(true);
	r = socketpair(AF_UNIX, SOCK_STREAM, 0, end);
	printf("%s %d %d\n", told(r), end[0], end[1]);
}

static void case_in_use(void)
{
	union addr a, b;
	socklen_t len, blen;
	int other_fd = bound(kind, &a, &len), fd;

	fd = need(socket(AF_INET, SOCK_STREAM, 0));
	if (!real)
		close(other_fd);
	say_ret("bind", bind(fd, &a.any, len), NULL);
	blen = sizeof b;
	need(getsockname(fd, &b.any, &blen));
	printf(" port %s", b.in.sin_port ? "some" : "none");
	a.in.sin_port = 0;
	say_ret("bind", bind(fd, &a.any, len), NULL);
	say_ret("bind", bind(fd, &a.any, len), NULL);
	say_ret("listen", listen(fd, 1), NULL);
	putchar('\n');
}
