/* SPDX-License-Identifier: MIT */
/*
 * Listeners: the numbers of what they hand out, the clients that wait, and
 * what close means.
 */

static void say_number(const char *name, int fd)
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFD);
	int mode = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	printf(" %s=%s%s%s", name, told(fd), flags & FD_CLOEXEC ? ":cloexec"
	       : "", mode & O_NONBLOCK ? ":nonblock" : "");
}

static int client(void)
{
	int fd = need(raw(SYS_socket, kind->domain, SOCK_STREAM, 0));

	need(raw(SYS_connect, fd, (long)&lis_addr, lis_len));
	return fd;
}

/* numbers AT: what new descriptors are called; one is taken already. */
static void case_numbers(void)
{
	int at = atoi(args[0]), type = SOCK_STREAM, a;

	listening();
	say_number("listener", lis);
	for (int i = 0; i < 3; i++)
		client();
	need(fcntl(STDERR_FILENO, F_DUPFD, at + 1) == at + 1 ? 0 : -1);
	say_number("socket", a = socket(AF_INET, type, 0));
	say_number("socket", socket(AF_INET, type | SOCK_CLOEXEC, 0));
	say_number("accept", accept(lis, NULL, NULL));
	say_number("accept4", accept4(lis, NULL, NULL, SOCK_CLOEXEC |
				      SOCK_NONBLOCK));
	say_number("udp", socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	need(close(a));
	say_number("again", socket(AF_UNIX, type, 0));
	a = accept(lis, NULL, NULL);
	say_ret("sent", send(a, "abc", 3, 0), NULL);
	putchar('\n');
}

/* Once, and again with another backlog. */
static void case_listens(void)
{
	union addr a;
	socklen_t len;
	int fd = bound(kind_named("tcp"), &a, &len);

	say_ret("listen", listen(fd, 1), NULL);
	say_ret("again", listen(fd, 2), NULL);
	putchar('\n');
}

/* ---- accept ------------------------------------------------------------ */

/* no_descriptors: none until that is taken back. */
static void no_descriptors(bool none)
{
	static struct rlimit was;
	struct rlimit now;

	if (!none) {
		need(setrlimit(RLIMIT_NOFILE, &was));
		return;
	}
	need(getrlimit(RLIMIT_NOFILE, &was));
	now = was;
	now.rlim_cur = need(dup(0));
	close(now.rlim_cur);
	need(setrlimit(RLIMIT_NOFILE, &now));
}

static int port_of(int fd)
{
	union addr a;
	socklen_t len = sizeof a;

	need(getsockname(fd, &a.any, &len));
	return ntohs(a.in.sin_port);
}

static int clients[3];

/* say_accept: which client it was, or the error and what it left alone. */
static void say_accept(void)
{
	union addr a, was;
	socklen_t len = sizeof a;
	int fd;

	memset(&a, 'a', sizeof a);
	was = a;
	fd = accept(lis, &a.any, &len);
	printf(" accept=");
	if (fd < 0)
		printf("%s%s", told(fd), memcmp(&a, &was, sizeof a) ||
		       len != sizeof a ? ":address" : "");
	for (int i = 0; fd >= 0 && i < 3; i++)
		if (ntohs(a.in.sin_port) == port_of(clients[i]))
			printf("client %d", i);
	say_bits("poll", poll_bits(lis, POLLIN, 0));
}

/* accepts: three wait; what accept returns, and what it leaves. */
static void case_accepts(void)
{
	char data[4];

	listening();
	nonblocking(lis, true);
	for (int i = 0; i < 3; i++)
		clients[i] = client();
	for (int i = 0; i < 6; i++) {
		if (real && i < 2)
			no_descriptors(true);
		say_accept();
		if (real && i < 2)
			no_descriptors(false);
	}
	for (int i = 0; i < 3; i++)
		say_ret("client", recv(clients[i], data, 4, MSG_DONTWAIT),
			NULL);
	putchar('\n');
}

/* accepted LETTERS: of a connection that its client has reset already. */
static void accepted(void)
{
	struct linger now = { 1, 0 };
	union addr a;
	socklen_t len = sizeof a;
	int c = client(), fd, port = port_of(c);

	if (*letters == '1')
		need(raw(SYS_write, c, (long)"0123456789", 10));
	if (real) {
		need(setsockopt(c, SOL_SOCKET, SO_LINGER, &now, sizeof now));
		need(raw(SYS_close, c, 0, 0));
	}
	poll_bits(lis, POLLIN, -1);
	fd = accept(lis, &a.any, &len);
	printf("%s%s", fd < 0 ? told(fd) : "accepted",
	       ntohs(a.in.sin_port) == port ? " client" : " other");
	put(fd);
	watched();
	for (const char *at = letters; *at; at++)
		probe(*at);
	if (!real && recv(c, &a, 1, 0) >= 0)
		printf(" the client does not know");
}

static void case_accepted(void)
{
	letters = args[0];
	listening();
	for (size_t i = 0; i < COUNT(in_ways); i++) {
		way = &in_ways[i];
		apart(accepted);
	}
}

/* ---- close ------------------------------------------------------------- */

/* What is said of FD and its peer after FD was closed. */
static void say_closed(long r)
{
	char data[32];

	say_ret("close", r, NULL);
	say_ret("F_GETFD", fcntl(FD, F_GETFD), NULL);
	say_ret("close", close(FD), NULL);
	say_ret("peer", recv(peer, data, 32, MSG_DONTWAIT), data);
	say_ret("peer", recv(peer, data, 32, MSG_DONTWAIT), data);
	putchar('\n');
}

static void case_closes(void)
{
	FILE *f;

	kind = kind_named(args[0]);
	connected(kind);
	say_closed(close(FD));
	connected(kind);
	f = fdopen(FD, "w");
	fprintf(f, "buffered");
	say_closed(fclose(f));
	connected(kind);
	say_closed(raw(SYS_dup3, 0, FD, 0) == FD ? close(FD) : -1);
}
