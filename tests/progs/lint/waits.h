/* SPDX-License-Identifier: MIT */
/* Connections that their peers have ended. */

static void case_wait(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		put(client, 1);
		close(client);
		get(server, 1);
		get(server, 0);
	}
}

/* The same, by a client, in select's way. */
static void case_wait_select(void)
{
	fd_set set;

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		close(server);
		FD_ZERO(&set);
		FD_SET(client, &set);
		check(select(client + 1, &set, NULL, NULL, NULL) == 1,
		      "select");
		get(client, 0);
	}
}

static void case_wait_closed(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		close(client);
		get(server, 0);
		close(server);
	}
}

/* The kernel closes what is left of a program that ends. */
static void case_wait_exit(void)
{
	both();
	close(client);
	get(server, 0);
	client = connected();
	server = accepted();
	close(server);
	get(client, 0);
}

/* The peer has ended its half; this half goes on for long. */
static void case_wait_half(void)
{
	both();
	shutdown(client, SHUT_WR);
	get(server, 0);
	others(5);
	put(server, 1);
	get(client, 1);
	others(5);
	put(server, 1);
	get(client, 1);
	close(server);
	get(client, 0);
	close(client);
}

/* It wants to hear no more; that is not the peer's end. */
static void case_wait_deaf(void)
{
	int fds[MANY];

	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		fds[i] = accepted();
		shutdown(fds[i], SHUT_RD);
		get(fds[i], 0);
	}
	for (int i = 0; i < MANY; i++)
		put(fds[i], 1);
	others(5);
}

/* It waits for room to send the rest. */
static void case_wait_room(void)
{
	struct epoll_event ev = { .events = EPOLLOUT };
	int ep = epoll_create1(0);

	both();
	shutdown(client, SHUT_WR);
	get(server, 0);
	epoll_ctl(ep, EPOLL_CTL_ADD, server, &ev);
	others(5);
}

/* close_range, dup2, fclose and an exec close, too. */
static void case_wait_ways(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		close(client);
		get(server, 0);
		if (i % 3 == 0)
			close_range(server, server, 0);
		else if (i % 3 == 1)
			dup2(0, server);
		else
			fclose(fdopen(server, "r"));
		/* the numbers go to files: nobody can know */
		for (int k = 0; k < 2; k++)
			check(open("/dev/null", O_RDONLY) >= 0, "open");
	}
}

/* It has said that it is done, too: not CLOSE_WAIT, but left open. */
static void case_wait_shut(void)
{
	listen_somewhere();
	for (int i = 0; i < MANY; i++) {
		client = connected();
		server = accepted();
		close(client);
		get(server, 0);
		shutdown(server, SHUT_RDWR);
	}
}
