/* SPDX-License-Identifier: MIT */
/*
 * Flags of recv and send at a gate, and what else is told about data.
 */

static void flag_dontwait(int unused)
{
	char data[16];

	(void)unused;
	make_pair(false);
	mark();
	later(peer_sends);
	tell(BEFORE, "recv", num(recv(FD, data, 16, MSG_DONTWAIT)));
	tell(BEFORE, "recv", num(recv(FD, data, 16, MSG_DONTWAIT)));
	look(AFTER, FD, POLLIN, -1);
	tell(AFTER, "recv", num(recv(FD, data, 16, MSG_DONTWAIT)));
	tell(AFTER, "recv", num(recv(FD, data, 16, MSG_DONTWAIT)));
}

static void flag_dontwait_send(int unused)
{
	(void)unused;
	make_gated(true);
	mark();
	later(peer_drains);
	tell(BEFORE, "send", num(send(FD, "ssss\n", 5, MSG_DONTWAIT)));
	look(BEFORE, FD, POLLOUT, 20);
	look(AFTER, FD, POLLOUT, -1);
	tell(AFTER, "send", num(send(FD, "ssss\n", 5, MSG_DONTWAIT)));
	peer_gets();
}

static void flag_peek(int unused)
{
	(void)unused;
	make_pair(false);
	mark();
	later(peer_sends);
	peek(BEFORE, MSG_DONTWAIT);
	tell_queues(BEFORE);
	peek(AFTER, 0);
	peek(AFTER, MSG_DONTWAIT);
	tell_queues(AFTER);
	take(AFTER);
	peek(AFTER, MSG_DONTWAIT);
	tell_queues(AFTER);
}

/* flag_unread: FIONREAD says nothing until then, and is enough to notice. */
static void flag_unread(int unused)
{
	int in = 0;

	(void)unused;
	make_pair(false);
	mark();
	later(peer_sends);
	tell_queues(BEFORE);
	tell_queues(BEFORE);
	until(ioctl(FD, FIONREAD, &in) || in > 0);
	tell(AFTER, "FIONREAD", num(in));
	take(AFTER);
}

static void flag_waitall(int split)
{
	char data[16];
	ssize_t n;

	make_pair(false);
	mark();
	if (split && !s.real)
		peer_sends();
	later(split && !s.real ? peer_sends : peer_sends_twice);
	n = recv(FD, data, 2 * PIECE, MSG_WAITALL);
	tell(AFTER, "recv(MSG_WAITALL)", piece(data, n));
}

static void flag_nothing(int unused)
{
	(void)unused;
	make_pair(false);
	blocking(FD, false);
	mark();
	later(peer_sends);
	tell(BEFORE, "recv(0)", num(recv(FD, NULL, 0, 0)));
	tell(BEFORE, "read(0)", num(read(FD, NULL, 0)));
	look(AFTER, FD, POLLIN, -1);
	tell(AFTER, "recv(0)", num(recv(FD, NULL, 0, 0)));
	tell(AFTER, "read(0)", num(read(FD, NULL, 0)));
	take(AFTER);
}

/* flag_several: datagrams, as many as there are. */
static void flag_several(int unused)
{
	char data[4][8];
	struct iovec iov[4] = { { data[0], 8 }, { data[1], 8 },
				{ data[2], 8 }, { data[3], 8 } };
	struct mmsghdr m[4] = { 0 };

	(void)unused;
	s.proto = DGRAM;
	make_pair(false);
	for (int i = 0; i < 4; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i],
						.msg_iovlen = 1 };
	mark();
	later(peer_sends_twice);
	tell(BEFORE, "recvmmsg", num(recvmmsg(FD, m, 4, MSG_DONTWAIT, NULL)));
	look(AFTER, FD, POLLIN, -1);
	if (s.real)			/* one may be there before the other */
		join_helper();
	tell(AFTER, "recvmmsg", num(recvmmsg(FD, m, 4, MSG_WAITFORONE, NULL)));
	tell(AFTER, "recvmmsg", num(recvmmsg(FD, m, 4, MSG_DONTWAIT, NULL)));
}

static void *send_then(void *moment)
{
	sleep_until(*(int64_t *)moment);
	peer_sends();
	return NULL;
}

/* flag_timeout: what arrives in time, but late, gives no more time. */
static void flag_timeout(int unused)
{
	int64_t sent = now() + s.span * 6 / 10;
	pthread_t t;

	(void)unused;
	make_pair(false);
	timeout_of(SO_RCVTIMEO, s.span / MS);
	s.moment = sent + s.span;
	if (s.real)
		sent = s.moment;
	if (pthread_create(&t, NULL, send_then, &sent))
		abort();
	take(BEFORE);
	timeout_of(SO_RCVTIMEO, 25000);
	take(AFTER);
	pthread_join(t, NULL);
}

static void peer_urges(void)
{
	if (send(s.peer, "!", 1, MSG_OOB) != 1)
		abort();
}

static void flag_urgent(int unused)
{
	char data[16];

	(void)unused;
	make_pair(false);
	blocking(FD, false);
	mark();
	later(peer_urges);
	look(BEFORE, FD, POLLIN | POLLPRI, 20);
	tell(BEFORE, "recv(MSG_OOB)", num(recv(FD, data, 1, MSG_OOB)));
	tell(BEFORE, "sockatmark", num(sockatmark(FD)));
	take(BEFORE);
	look(AFTER, FD, POLLPRI, -1);
	tell(AFTER, "sockatmark", num(sockatmark(FD)));
	tell(AFTER, "recv(MSG_OOB)", num(recv(FD, data, 1, MSG_OOB)));
	take(AFTER);
}

/* flag_lowat: less than so much is nothing to poll. */
static void flag_lowat(int unused)
{
	(void)unused;
	make_pair(false);
	option(FD, SOL_SOCKET, SO_RCVLOWAT, 2 * PIECE);
	mark();
	later(peer_sends);
	look(BEFORE, FD, POLLIN, 20);
	sleep_until(s.moment + s.span / 4);
	join_helper();
	look(LATER, FD, POLLIN, 20);
	mark();
	later(peer_sends);
	look(BEFORE, FD, POLLIN, 20);
	look(AFTER, FD, POLLIN, -1);
	take(AFTER);
}

/* flag_pieces: what was there when it opens can be read in pieces. */
static void flag_pieces(int unused)
{
	char data[16];

	(void)unused;
	make_pair(false);
	blocking(FD, false);
	mark();
	later(peer_sends_twice);
	look(BEFORE, FD, POLLIN, 20);
	look(AFTER, FD, POLLIN, -1);
	if (s.real)			/* one may be there before the other */
		join_helper();
	for (int i = 0; i < 6; i++)
		tell(AFTER, "recv", piece(data, recv(FD, data, 2, 0)));
	look(AFTER, FD, POLLIN, 0);
}
