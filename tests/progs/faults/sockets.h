/* SPDX-License-Identifier: MIT */
/*
 * Sockets of every kind, and what their peers do for real.
 */

struct kind {
	const char *name;
	int domain, type;
	const char *ip;
};

static const struct kind kinds[] = {
	{ "tcp", AF_INET, SOCK_STREAM, "127.0.0.1" },
	{ "unix", AF_UNIX, SOCK_STREAM, NULL },
	{ "seqpacket", AF_UNIX, SOCK_SEQPACKET, NULL },
	{ "dgram", AF_UNIX, SOCK_DGRAM, NULL },
	{ "udp", AF_INET, SOCK_DGRAM, "127.0.0.1" },
	{ "tcp6", AF_INET6, SOCK_STREAM, "::1" },
	{ "mapped", AF_INET6, SOCK_STREAM, "::ffff:127.0.0.1" },
};

static const struct kind *kind = kinds;	/* of the case */
static int peer = -1;			/* the other end of FD */

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static bool is_tcp(const struct kind *k)
{
	return k->domain != AF_UNIX && k->type == SOCK_STREAM;
}

static const struct kind *kind_named(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	printf("no kind %s\n", name);
	exit(2);
}

static socklen_t address(int domain, const char *ip, union addr *a)
{
	memset(a, 0, sizeof *a);
	a->any.sa_family = domain;
	if (domain == AF_INET)
		inet_pton(domain, ip, &a->in.sin_addr);
	else
		inet_pton(domain, ip, &a->in6.sin6_addr);
	return domain == AF_INET ? sizeof a->in : sizeof a->in6;
}

/* bound: a socket on a port of its own; *a says which. */
static int bound(const struct kind *k, union addr *a, socklen_t *len)
{
	int fd = need(socket(k->domain, k->type | SOCK_CLOEXEC, 0));

	*len = address(k->domain, k->ip, a);
	need(bind(fd, &a->any, *len));
	need(getsockname(fd, &a->any, len));
	return fd;
}

static void inet_pair(const struct kind *k, int end[2])
{
	union addr a, b;
	socklen_t len;
	int lis = bound(k, &a, &len);

	if (k->type == SOCK_DGRAM) {
		end[0] = bound(k, &b, &len);
		need(connect(end[0], &a.any, len));
		need(connect(lis, &b.any, len));
		end[1] = lis;
		return;
	}
	need(listen(lis, 5));
	end[0] = need(socket(k->domain, SOCK_STREAM, 0));
	need(connect(end[0], &a.any, len));
	end[1] = need(accept(lis, NULL, NULL));
	close(lis);
}

static void make_pair(const struct kind *k, int end[2])
{
	if (k->domain == AF_UNIX)
		need(socketpair(AF_UNIX, k->type, 0, end));
	else
		inet_pair(k, end);
}

/* put: the socket under test gets its number. */
static void put(int fd)
{
	need(dup2(fd, FD));
	need(close(fd));
}

/* connected: a new FD and peer. */
static void connected(const struct kind *k)
{
	int end[2];

	if (peer >= 0)
		close(peer);
	make_pair(k, end);
	put(end[0]);
	peer = end[1];
}

/* arrived: n bytes can be read there. */
static void arrived(int fd, int n)
{
	int now = 0;

	while (need(ioctl(fd, FIONREAD, &now)) >= 0 && now < n)
		sched_yield();
}

static void peer_sends(const char *data)
{
	need(send(peer, data, strlen(data), MSG_NOSIGNAL));
	arrived(FD, kind->type == SOCK_STREAM ? strlen(data) : 1);
}

/* peer_resets: FD has met the end of its connection when it returns. */
static void peer_resets(void)
{
	struct linger now = { 1, 0 };

	if (is_tcp(kind))
		need(setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now));
	else
		need(send(FD, "u", 1, MSG_NOSIGNAL));	/* which it never reads */
	close(peer);
	peer = -1;
	while (!(poll_bits(FD, 0, -1) & POLLHUP))
		;
}

static void peer_ends(void)
{
	need(shutdown(peer, SHUT_WR));
	while (!(poll_bits(FD, POLLRDHUP, -1) & POLLRDHUP))
		;
}

static void nonblocking(int fd, bool on)
{
	int flags = need(fcntl(fd, F_GETFL));

	need(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK
				   : flags & ~O_NONBLOCK));
}
