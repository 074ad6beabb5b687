/* SPDX-License-Identifier: MIT */
/* Errors that nobody minded, and some that somebody did. */

/* ---- unchecked-connect -------------------------------------------------- */

static int starts(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	check(connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0 &&
	      errno == EINPROGRESS, "connect");
	writable(fd);
	return fd;
}

static void case_unchecked(void)
{
	nobody_listens();
	client = starts();
	send(client, buf, 3, MSG_NOSIGNAL);
	recv(client, buf, sizeof buf, 0);
	close(client);
}

static void case_unchecked_reader(void)
{
	nobody_listens();
	client = starts();
	while (recv(client, buf, sizeof buf, 0))
		;
	send(client, buf, 3, MSG_NOSIGNAL);
	close(client);
}

/* Each of the four ways, and the first use of all. */
static bool by_option(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;

	return !getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) && !error;
}

static bool by_name(int fd)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer;

	if (!getpeername(fd, (struct sockaddr *)&peer, &len))
		return true;
	/* why not? */
	recv(fd, buf, 1, 0);
	return false;
}

static bool by_read(int fd)
{
	return read(fd, buf, 0) == 0;
}

static bool by_connect(int fd)
{
	return !connect(fd, (struct sockaddr *)&addr, sizeof addr) ||
	       errno == EISCONN;
}

static bool by_use(int fd)
{
	return send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

static bool by_reading(int fd)
{
	return recv(fd, buf, sizeof buf, 0) > 0;
}

static void case_checked(void)
{
	static bool (*const ways[])(int) = {
		by_option, by_name, by_read, by_connect, by_use,
	};

	for (int i = 0; i < 5; i++) {
		listen_somewhere();
		client = starts();
		server = accepted();
		check(ways[i](client), "connected");
		put(client, 3);
		get(server, 3 + (i == 4));
		over();
		client = starts();
		/* a read of 0 bytes says nothing on Linux */
		if (i != 2)
			check(!ways[i](client), "refused");
		close(client);
	}
	client = starts();
	check(!by_reading(client), "refused");
	close(client);
}

/* An event loop that reads first and writes what it had, once. */
static void case_checked_loop(void)
{
	nobody_listens();
	client = starts();
	if (!by_reading(client) && !by_use(client))
		close(client);
}

/* The connection was made, and then reset. */
static void case_checked_reset(void)
{
	listen_somewhere();
	client = starts();
	server = accepted();
	reset(server);
	check(!by_use(client), "reset");
	check(!by_reading(client), "end");
	close(client);
}

/* ---- bad-length --------------------------------------------------------- */

static void case_length(void)
{
	volatile ssize_t n;

	both();
	reset(client);
	n = recv(server, buf, sizeof buf, 0);
	send(server, buf, n, MSG_NOSIGNAL);
	close(server);
}

/* As much as there is, and no buffer for it. */
static void case_length_whole(void)
{
	volatile size_t all = SIZE_MAX / 2;
	int file = open("/dev/zero", O_RDONLY), null;

	both();
	put(client, 100);
	check(recv(server, NULL, all, MSG_TRUNC) == 100, "recv");
	close(file);
	null = open("/etc/passwd", O_RDONLY);
	check(sendfile(client, null, NULL, all) > 0, "sendfile");
	close(null);
	over();
}

/* ---- ignored-error ------------------------------------------------------ */

static void case_minus_socket(void)
{
	struct rlimit few = { 3, 3 };

	nobody_listens();
	setrlimit(RLIMIT_NOFILE, &few);
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(client < 0, "socket");
	connect(client, (struct sockaddr *)&addr, sizeof addr);
	close(client);
}

static void case_minus_accept(void)
{
	listen_somewhere();
	fcntl(listener, F_SETFL, O_NONBLOCK);
	server = accept(listener, NULL, NULL);
	recv(server, buf, sizeof buf, 0);
	close(server);
}

/* What came of accept was seen to; the -1 later is another's. */
static void case_minus_other(void)
{
	both();
	fcntl(listener, F_SETFL, O_NONBLOCK);
	check(accept(listener, NULL, NULL) < 0, "accept");
	put(client, 3);
	check(fcntl(-1, F_GETFD) < 0, "fcntl");
	over();
	check(socket(AF_INET, 77, 0) < 0, "socket");
	close(-1);
	check(getaddrinfo("127.0.0.1", NULL, NULL, &(struct addrinfo *){ 0 })
	      == 0, "getaddrinfo");
}

static void case_bind(void)
{
	listen_somewhere();
	server = socket(AF_INET, SOCK_STREAM, 0);
	check(bind(server, (struct sockaddr *)&addr, sizeof addr) < 0, "bind");
	listen(server, 5);
}

static void case_listen(void)
{
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	check(listen(server, 5) < 0, "listen");
	client = accept(server, NULL, NULL);
	close(client);
}

static void case_connect(void)
{
	nobody_listens();
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (struct sockaddr *)&addr, sizeof addr);
	send(client, buf, 3, MSG_NOSIGNAL);
	close(client);
}

static void case_told(void)
{
	nobody_listens();
	client = starts();
	check(!by_option(client), "SO_ERROR");
	send(client, buf, 3, MSG_NOSIGNAL);
	close(client);
}

static void case_broken(void)
{
	both();
	reset(server);
	check(recv(client, buf, sizeof buf, 0) < 0, "reset");
	for (int i = 0; i < 2; i++) {
		send(client, buf, 3, MSG_NOSIGNAL);
		recv(client, buf, sizeof buf, 0);
	}
	close(client);
}

/* Once more to see the end, and a goodbye, as TLS does. */
static void case_broken_closed(void)
{
	both();
	reset(server);
	check(recv(client, buf, sizeof buf, 0) < 0, "reset");
	check(recv(client, buf, sizeof buf, 0) == 0, "end");
	check(send(client, buf, 3, MSG_NOSIGNAL) < 0, "EPIPE");
	shutdown(client, SHUT_RDWR);
	close(client);
}

/* After EPIPE there may be an answer to read. */
static void case_epipe(void)
{
	both();
	put(server, 3);
	shutdown(client, SHUT_WR);
	check(send(client, buf, 3, MSG_NOSIGNAL) < 0 && errno == EPIPE,
	      "EPIPE");
	get(client, 3);
	close(server);
	check(recv(client, buf, sizeof buf, 0) == 0, "end");
	close(client);
}

/* A reader and a writer: each is told, and stops. */
static void *writes(void *unused)
{
	check(send(client, buf, 3, MSG_NOSIGNAL) < 0, "EPIPE");
	return unused;
}

static void case_two_threads(void)
{
	pthread_t thread;

	both();
	reset(server);
	check(recv(client, buf, sizeof buf, 0) < 0, "reset");
	pthread_create(&thread, NULL, writes, NULL);
	pthread_join(thread, NULL);
	check(recv(client, buf, sizeof buf, 0) == 0, "end");
	close(client);
}

/* socket, bind and connect fail, and something else is tried. */
static void case_tried_again(void)
{
	struct sockaddr_in taken;

	listen_somewhere();
	taken = addr;
	check(socket(AF_INET, 77, 0) < 0, "socket");
	server = socket(AF_INET, SOCK_STREAM, 0);
	check(bind(server, (struct sockaddr *)&taken, sizeof taken) < 0,
	      "bind");
	taken.sin_port = 0;
	check(!bind(server, (struct sockaddr *)&taken, sizeof taken), "bind");
	check(!listen(server, 5), "listen");
	close(listener);
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(client, (struct sockaddr *)&addr, sizeof addr) < 0,
	      "connect");
	listen_somewhere();
	check(!connect(client, (struct sockaddr *)&addr, sizeof addr),
	      "connect");
	put(client, 3);
	close(client);
	close(server);
}

/* Edges, EAGAIN, and an accept that comes too late. */
static void case_events(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);

	listen_somewhere();
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < MANY; i++) {
		check(accept(listener, NULL, NULL) < 0, "accept");
		client = connected();
		server = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		check(epoll_ctl(ep, EPOLL_CTL_ADD, server, &ev) == 0, "ctl");
		put(client, 10);
		check(epoll_wait(ep, &ev, 1, -1) == 1, "epoll_wait");
		while (recv(server, buf, 4, 0) > 0)
			;
		check(errno == EAGAIN, "EAGAIN");
		close(client);
		check(epoll_wait(ep, &ev, 1, -1) == 1, "epoll_wait");
		get(server, 0);
		close(server);
	}
}
