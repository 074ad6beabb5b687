/* SPDX-License-Identifier: MIT */
/*
 * A connection that does not come about, and only after some time.
 */

static void (*ends[])(void) = { syn_refused, syn_unreachable };

/* How it is learnt that the attempt has failed, and what follows. */
static void failed(int who)
{
	start(ends[who < 'a']);
	tell_state(BEFORE);
	look(BEFORE, FD, POLLIN | POLLOUT | POLLRDHUP, 20);
	look(AFTER, FD, POLLIN | POLLOUT | POLLRDHUP, -1);
	switch (who | 0x20) {
	case 'c':
		tell(AFTER, "connect", num(do_connect()));
		break;
	case 'w':
		give(AFTER);
		give(AFTER);
		break;
	case 'r':
		take(AFTER);
		take(AFTER);
		break;
	case 'k':
		peek(AFTER, 0);
		break;
	case 's':
		tell(AFTER, "shutdown", num(shutdown(FD, SHUT_WR)));
		break;
	case 'n':
		tell_names(AFTER);
		break;
	}
	tell_state(AFTER);
	error_of(AFTER);
	look(AFTER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
	take(AFTER);
	give(AFTER);
	tell_names(AFTER);
}

/* failed_unasked: ERR and HUP come without being asked for. */
static void failed_unasked(int edge)
{
	int set = new_set();

	start(syn_refused);
	watch(set, FD, edge ? EPOLLET : 0, 7);
	look(BEFORE, FD, 0, 20);
	report(BEFORE, set, 20);
	look(AFTER, FD, 0, -1);
	report(AFTER, set, -1);
	error_of(AFTER);
}

/* failed_asked: by connecting again and again. */
static void failed_asked(int how)
{
	start(syn_refused);
	if (how == 'c')
		until(do_connect() != -1 || errno != EALREADY);
	else
		until(send(FD, "x", 1, MSG_NOSIGNAL) != -1 || errno != EAGAIN);
	tell(AFTER, how == 'c' ? "connect" : "send", num(-1));
	error_of(AFTER);
	look(AFTER, FD, POLLIN | POLLOUT | POLLRDHUP, 0);
}

static void failed_set_before(int edge)
{
	int set = new_set();

	make_unconnected();
	blocking(FD, false);
	watch(set, FD, POLLIN | POLLOUT | POLLRDHUP |
	      (edge ? EPOLLET : 0), 7);
	report(LATER, set, 0);
	mark();
	really(syn_refused);
	tell(BEFORE, "connect", num(do_connect()));
	report(BEFORE, set, 20);
	report(AFTER, set, -1);
	error_of(AFTER);
}
