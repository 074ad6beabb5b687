/* SPDX-License-Identifier: MIT */
/*
 * What had arrived is read before a reset is, by whoever has the socket.
 */

/*
 * Letters: r receive, p peek, q how many bytes (Q to send), c through a copy,
 * k in a child, b poll, e an epoll set, n names, o SO_ERROR, u connect, w
 * send, s shutdown, f until our FIN is acknowledged, z receive nothing, j
 * SO_ERROR into too little room, x the queue of errors.
 */
static int copy = -1, sets[2];		/* of FD; level, edge */

static void say_epoll(const char *name, int set)
{
	struct epoll_event ev = { .events = 0 };
	int n = need(epoll_wait(set, &ev, 1, 0));

	say_bits(name, n ? (int)ev.events : 0);
}

static void say_names(void)
{
	union addr a;
	socklen_t len = sizeof a;

	say_ret("getpeername", getpeername(FD, &a.any, &len), NULL);
	len = sizeof a;
	say_ret("getsockname", getsockname(FD, &a.any, &len), NULL);
	printf(":%d:%s", (int)len, a.any.sa_family != AF_INET ? "" :
	       inet_ntoa(a.in.sin_addr));
	if (a.any.sa_family == AF_INET && a.in.sin_port)
		printf(":port");
}

static void say_count(const char *name, unsigned long request)
{
	int n = -1;
	long r = ioctl(FD, request, &n);

	say_ret(name, r, NULL);
	printf(":%d", n);
}

/* In a child: one byte of what is there, which the parent does not get. */
static void say_child(char letter);
static void probe(char letter);

static void say_connect(void)
{
	union addr a;
	socklen_t len = address(AF_INET, "127.0.0.1", &a);

	if (kind->domain == AF_UNIX)
		a.any.sa_family = AF_UNIX;
	a.in.sin_port = 1;
	say_ret("connect", connect(FD, &a.any, len), NULL);
}

/* fin_acked: our end has been heard of, whatever the peer has done. */
static void fin_acked(void)
{
	struct tcp_info info;
	socklen_t len;

	do {
		len = sizeof info;
		need(getsockopt(FD, IPPROTO_TCP, TCP_INFO, &info, &len));
	} while (info.tcpi_state == TCP_FIN_WAIT1 ||
		 info.tcpi_state == TCP_LAST_ACK);
}

static void receive(int fd, size_t n)
{
	char data[64] = "";

	say_ret(way->name, way->call(fd, data, n, 0), data);
}

static void probe(char letter)
{
	char data[64] = "", room = 77;
	socklen_t one = 1;

	switch (letter) {
	case 'r': receive(FD, 4); break;
	case 'R': receive(FD, 64); break;
	case 'c': receive(copy, 3); break;
	case 'z': receive(FD, 0); break;
	case 'k': say_child('r'); break;
	case 'K': say_child('o'); break;
	case 'q': say_count("FIONREAD", FIONREAD); break;
	case 'Q':
		say_count("SIOCOUTQ", SIOCOUTQ);
		say_count("SIOCOUTQNSD", SIOCOUTQNSD);
		break;
	case 'b': say_poll(FD); break;
	case 'n': say_names(); break;
	case 'o': say_so_error(FD); break;
	case 'u': say_connect(); break;
	case 'p': say_ret("peek", recv(FD, data, 64, MSG_PEEK), data); break;
	case 't': say_ret("trunc", recv(FD, NULL, 2, MSG_TRUNC), NULL); break;
	case 'a': say_ret("waitall", recv(FD, data, 64, MSG_WAITALL), data);
		break;
	case 'x': say_ret("errors", recv(FD, data, 64, MSG_ERRQUEUE), data);
		break;
	case 'w': say_ret("send", send(FD, "w", 1, MSG_NOSIGNAL), NULL); break;
	case 's': say_ret("shutdown", shutdown(FD, SHUT_WR), NULL); break;
	case 'f': fin_acked(); break;
	case 'j': say_ret("so_error", getsockopt(FD, SOL_SOCKET, SO_ERROR,
						 &room, &one), NULL);
		printf(":%d", room != 0);
		break;
	case 'e':
		say_epoll("level", sets[0]);
		say_epoll("edge", sets[1]);
		break;
	}
}

static void say_child(char letter)
{
	fflush(stdout);
	if (!need(fork())) {
		printf(" child");
		probe(letter);
		fflush(stdout);
		_exit(0);
	}
	need(wait(NULL));
}

/* watched: a copy of FD, and two sets with FD in them. */
static void watched(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP };

	copy = need(fcntl(FD, F_DUPFD, 110));
	for (int i = 0; i < 2; i++) {
		sets[i] = need(epoll_create1(0));
		need(epoll_ctl(sets[i], EPOLL_CTL_ADD, FD, &ev));
		ev.events |= EPOLLET;
	}
}

static const char *letters;

static void unread(void)
{
	connected(kind);
	watched();
	if (*letters == '0')
		letters++;
	else
		peer_sends("0123456789");
	if (real)
		args[2] && !strcmp(args[2], "eof") ? peer_ends()
						   : peer_resets();
	for (const char *at = letters; *at; at++)
		probe(*at);
}

/* unread KIND LETTERS [eof]: in that order, for every way to receive. */
static void case_unread(void)
{
	kind = kind_named(args[0]);
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		letters = args[1];
		apart(unread);
	}
}
