/* SPDX-License-Identifier: MIT */
/*
 * A queue that has no room for a connect, or nobody in it for an accept.
 */

/* ---- AF_UNIX: connect waits for room in the queue ------------------------ */

static int queued = -1;

static void queue_drains(void)
{
	s.peer = need(accept(s.lis, NULL, NULL), "accept");
}

static void unix_connect(int how)
{
	s.proto = STREAM;
	make_listener(0);
	put(new_socket(), FD);
	if (s.real) {
		queued = new_socket();
		need(connect(queued, &s.there.any, s.therelen), "connect");
	}
	blocking(FD, how != 'n');
	if (how == 't')
		timeout_of(SO_SNDTIMEO, 50);
	mark();
	really(queue_drains);
	if (how != 'b')
		tell(BEFORE, "connect", num(do_connect()));
	if (how == 'n') {
		tell(BEFORE, "connect", num(do_connect()));
		error_of(BEFORE);
		blocking(FD, true);
	} else if (how == 't') {
		timeout_of(SO_SNDTIMEO, 25000);
	}
	tell(AFTER, "connect", num(do_connect()));
	join_helper();
	close(s.peer);
	s.peer = need(accept(s.lis, NULL, NULL), "accept");
	give(LATER);
	peer_gets();
}

/* ---- accept ------------------------------------------------------------- */

static int client = -1;

static void client_comes(void)
{
	if (client >= 0)
		close(client);
	client = new_socket();
	need(connect(client, &s.there.any, s.therelen), "connect");
}

/* steal: a real client, of whom there was word, goes by another's accept. */
static void steal(void)
{
	mark();
	if (s.real)
		close(need(accept(s.lis, NULL, NULL), "accept"));
	really(client_comes);
}

static void make_server(void)
{
	make_listener(5);
	need(dup2(s.lis, FD), "dup2");
}

static const char *accepted(void)
{
	int fd = accept(FD, NULL, NULL);
	const char *text = fd < 0 ? num(fd) : "a connection";

	if (fd >= 0)
		close(fd);
	return text;
}

static long do_accept(void)
{
	int fd = accept(FD, NULL, NULL);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static void accept_held(int how)
{
	int set = new_set();

	make_server();
	if (how == 't')
		timeout_of(SO_RCVTIMEO, 50);
	else if (how != 'b')
		blocking(FD, false);
	watch(set, FD, POLLIN | (how == 'e' ? EPOLLET : 0), 7);
	client_comes();
	look(LATER, FD, POLLIN, -1);
	report(LATER, set, 0);
	steal();
	if (how != 'b')
		tell(BEFORE, "accept", accepted());
	if (how == 't')
		timeout_of(SO_RCVTIMEO, 25000);
	if (how == 'n') {
		look(BEFORE, FD, POLLIN, 20);
		tell(BEFORE, "accept", accepted());
		look(AFTER, FD, POLLIN, -1);
	} else if (how == 'e' || how == 'l') {
		report(BEFORE, set, 20);
		tell(BEFORE, "accept", accepted());
		report(AFTER, set, -1);
	} else if (how == 's') {
		tell(BEFORE, "select", bits(by_select(FD, POLLIN, 20)));
		tell(AFTER, "select", bits(by_select(FD, POLLIN, -1)));
	}
	tell(AFTER, "accept", accepted());
	if (how != 'b' && how != 't')
		tell(AFTER, "accept", accepted());
	client_comes();
	look(AFTER, FD, POLLIN, -1);
	tell(AFTER, "accept", accepted());
}

/* accept_late: of the client nothing is known before the moment. */
static void accept_late(int how)
{
	int set = new_set();

	make_server();
	blocking(FD, how == 'b');
	watch(set, FD, POLLIN | (how == 'e' ? EPOLLET : 0), 7);
	for (int i = 0; i < 2; i++) {
		mark();
		later(client_comes);
		if (how == 'n') {
			look(BEFORE, FD, POLLIN, 20);
			tell(BEFORE, "accept", accepted());
			look(AFTER, FD, POLLIN, -1);
		} else if (how == 's') {
			tell(BEFORE, "select", bits(by_select(FD, POLLIN,
							      20)));
			tell(AFTER, "select", bits(by_select(FD, POLLIN,
							     -1)));
		} else if (how != 'b') {
			report(BEFORE, set, 20);
			report(AFTER, set, -1);
			report(AFTER, set, 0);
		}
		tell(AFTER, "accept", accepted());
		join_helper();
	}
	if (how != 'b')
		tell(AFTER, "accept", accepted());
}

/* accept_forever: the others are served, by another descriptor's accept. */
static void accept_forever(int unused)
{
	(void)unused;
	make_server();
	timeout_of(SO_RCVTIMEO, 50);
	client_comes();
	look(LATER, FD, POLLIN, -1);
	if (s.real)
		close(need(accept(s.lis, NULL, NULL), "accept"));
	tell(LATER, "accept", accepted());
	tell(LATER, "accept", accepted());
}
