/* SPDX-License-Identifier: MIT */
/*
 * The sockets of a scene: the one under test as FD, its peer and a listener,
 * on 127.0.0.1 or in a directory that goes away with the run.
 */

static int type_of(enum proto proto)
{
	return proto & (TCP | STREAM) ? SOCK_STREAM :
	       proto == SEQ ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static bool is_stream(void)
{
	return s.proto & (TCP | STREAM);
}

static bool connects(void)
{
	return s.proto & (TCP | STREAM | SEQ);
}

static int new_socket(void)
{
	return need(socket(s.domain, type_of(s.proto) | SOCK_CLOEXEC, 0),
		    "socket");
}

/* own_address: of the protocol's kind; name is the file of AF_UNIX. */
static socklen_t own_address(union addr *a, const char *name)
{
	memset(a, 0, sizeof *a);
	a->any.sa_family = s.domain;
	if (s.proto & INET) {
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof a->in;
	}
	snprintf(a->un.sun_path, sizeof a->un.sun_path, "%s/%s", s.dir, name);
	return sizeof a->un;
}

/* bound: a socket with an address, which is filled in. */
static int bound(union addr *a, socklen_t *len, const char *name)
{
	int fd = new_socket();

	*len = own_address(a, name);
	need(bind(fd, &a->any, *len), "bind");
	*len = sizeof *a;
	need(getsockname(fd, &a->any, len), "getsockname");
	return fd;
}

/* put: the socket under test gets its number. */
static void put(int fd)
{
	need(dup2(fd, FD), "dup2");
	close(fd);
}

/* small_buffers: for the real event, which may have to fill them. */
static void small_buffers(int fd)
{
	int size = 4096;

	if (s.mode != REAL)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* make_listener: or for datagrams the peer itself. */
static void make_listener(void)
{
	s.lis = bound(&s.there, &s.therelen, "there");
	if (connects()) {
		small_buffers(s.lis);	/* what accept gives has them too */
		need(listen(s.lis, 5), "listen");
	} else {
		s.peer = s.lis;
	}
}

static void make_client(int fd)
{
	if (s.proto & (UNIX | UDP)) {
		s.herelen = own_address(&s.here, "here");
		need(bind(fd, &s.here.any, s.herelen), "bind");
	}
	s.herelen = sizeof s.here;
	need(getsockname(fd, &s.here.any, &s.herelen), "getsockname");
}

/* make_connection: FD is the client, s.peer what the server has. */
static void make_connection(void)
{
	int fd = new_socket();

	make_listener();
	make_client(fd);
	small_buffers(fd);
	need(connect(fd, &s.there.any, s.therelen), "connect");
	s.herelen = sizeof s.here;
	need(getsockname(fd, &s.here.any, &s.herelen), "getsockname");
	put(fd);
	if (connects())
		s.peer = need(accept(s.lis, NULL, NULL), "accept");
	else
		need(connect(s.peer, &s.here.any, s.herelen), "connect");
}

/* make_unconnected: FD is a client that has a server but no connection yet. */
static void make_unconnected(void)
{
	int fd = new_socket();

	make_listener();
	make_client(fd);
	put(fd);
}

/* make_fresh: FD is a socket without an address, which it shall have. */
static void make_fresh(void)
{
	int one = 1, fd = new_socket();
	union addr unused;

	s.therelen = own_address(&s.there, "there");
	if (s.proto & INET) {		/* a port that is free, and stays so */
		int other = bound(&unused, &s.therelen, "");

		s.there = unused;
		close(other);
	}
	if (is_family("LISTEN")) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		need(bind(fd, &s.there.any, s.therelen), "bind");
	}
	put(fd);
}

/* client_comes: somebody connects to the listener; s.peer is its end. */
static void client_comes(void)
{
	s.peer = new_socket();
	need(connect(s.peer, &s.there.any, s.therelen), "connect");
}

/* make_server: FD is a listener. */
static void make_server(void)
{
	make_listener();
	put(s.lis);
	s.lis = FD;
}

static void make_epoll(int *ep, unsigned events)
{
	struct epoll_event ev = { .events = events };

	*ep = need(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
	if (strcmp(s.via, "epoll_ctl"))
		need(epoll_ctl(*ep, EPOLL_CTL_ADD, FD, &ev), "epoll_ctl");
}

/* in_only: what is waited for is something to read. */
static bool in_only(void)
{
	return is_family("POLL") || is_family("ACCEPT") ||
	       (is_gate() && is_family("RECV"));
}

/* make_sets: only where they are used; an edge set sees what there is now. */
static void make_sets(void)
{
	const struct wait_way *w = wait_way(s.via);
	unsigned in = EPOLLIN | EPOLLRDHUP;
	bool edge = !strcmp(s.via, "edge");

	if (!in_only())
		in |= EPOLLOUT;
	if (w && !edge && (w->epoll || !strcmp(s.via, "epoll_ctl")))
		make_epoll(&s.level, in);
	else if (strstr(s.wait, "in-epoll"))	/* it shall not be ready yet */
		make_epoll(&s.level, EPOLLIN | EPOLLRDHUP);
	if (edge || strchr(s.order, 'G') || strstr(s.wait, "in-edge")) {
		make_epoll(&s.edge, in | EPOLLET);
		by_edge(FD, 0, 0);
	}
}

static const struct {
	const char *family;
	void (*make)(void);
} stages[] = {
	{ "SOCKET", NULL }, { "RESOLVE", NULL },
	{ "BIND", make_fresh }, { "LISTEN", make_fresh },
	{ "CONNECT", make_unconnected }, { "ACCEPT", make_server },
	{ NULL, make_connection },
};

/* Everything that a run can leave in its directory. */
static void remove_dir(void)
{
	static const char *const names[] = { "there", "here", "away", "" };
	char path[100];

	if (getpid() != s.owner)
		return;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", s.dir, names[i]);
		if (remove(path) && !*names[i])
			perror(path);
	}
}

static void make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(s.dir, sizeof s.dir, "%s/fidelity-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(s.dir) || chmod(s.dir, 0755))
		need(-1, s.dir);
	s.owner = getpid();
	clean_at_end(remove_dir);
}

static void make_scene(void)
{
	int i = 0;

	s.domain = s.proto & INET ? AF_INET : AF_UNIX;
	s.peer = s.lis = s.conn = s.level = s.edge = -1;
	while (stages[i].family && !is_family(stages[i].family))
		i++;
	if (!stages[i].make)
		return;
	stages[i].make();
	s.namelen = sizeof s.name;
	need(getsockname(FD, &s.name.any, &s.namelen), "getsockname");
	if (!s.block)
		need(fcntl(FD, F_SETFL, O_RDWR | O_NONBLOCK), "fcntl");
	make_sets();
}
