/* SPDX-License-Identifier: MIT */
/*
 * Connections that take their time.  The real handshake is started at once,
 * with the destination or, where it is to fail, with a port that refuses
 * (refuse.c).  Both gates are closed until the moment; what a socket in
 * SYN_SENT says to other calls is said here (inet_stream_connect,
 * inet_shutdown, tcp_sendmsg).
 */
#include "gate.h"

#include <netinet/tcp.h>

/* A connect that waits: for the moment, and then as the kernel would. */
static bool meanwhile(struct call *c, struct conn *conn, int waits, int err)
{
	int stop = waits ? pause_wait(c, conn, OUT, waits) : EAGAIN;

	if (!stop)
		return false;
	return answer(c, -1, stop == EAGAIN ? err : stop);
}

static bool queued(struct call *c, struct conn *conn, int waits)
{
	int err = pause_queue(c, conn, waits);

	return err && answer(c, -1, err);
}

/*
 * unix_stream_connect: the listener's queue is full.  There is nothing to
 * poll for; who does not wait is told so.
 */
static bool queue_full(struct call *c, struct conn *conn, int64_t until,
		       int waits)
{
	if (conn->proto != PROTO_UNIX && conn->proto != PROTO_UNIX_SEQPACKET) {
		fault_unmark(c);
		return false;
	}
	atomic_store(&conn->queued, until);
	return queued(c, conn, waits);
}

bool handshake_queued(struct call *c, struct conn *conn)
{
	struct query q = query_of(c, conn);

	return queued(c, conn, q.ask(&q));
}

/* A SYN is sent 6 times again, at twice the distance (tcp_syn_retries). */
#define GIVES_UP (127 * SECOND)

bool handshake_act(struct call *c, struct conn *conn, const struct verdict *v,
		   struct query *q)
{
	const struct rule *r = v->rule;
	bool forever = r->time[0] == FOREVER;
	int waits = q->ask(q), then = forever ? ETIMEDOUT : r->then;
	int64_t until = gate_in(forever ? GIVES_UP : r->time[0]);

	if (conn->proto != PROTO_TCP)
		return queue_full(c, conn, until, waits);
	/* before it can be over */
	gate_close(conn, CONNECTING | BOTH, until);
	if (!then)
		connect_start(c);
	else if (!refuse_start(c, conn, then))
		c->answer_err = 0;
	if (c->answer_err != EINPROGRESS) {
		gate_end(conn, c->rec->fd, BOTH);
		fault_unmark(c);	/* it was there, or failed, at once */
		return c->answer_err || !then;
	}
	return meanwhile(c, conn, waits, EINPROGRESS);
}

/* inet_shutdown: an attempt is given up. */
static bool give_up(struct call *c, struct conn *conn)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	real.connect(c->rec->fd, &none, sizeof none);
	gate_end(conn, c->rec->fd, BOTH);
	conn->label = ECONNRESET;	/* tcp_disconnect */
	return answer(c, 0, 0);
}

static bool leaves(const struct call *c)
{
	return !c->addr || !readable(c->addr, sizeof(sa_family_t)) ||
	       ((const struct sockaddr *)c->addr)->sa_family == AF_UNSPEC;
}

bool handshake_before(struct call *c, struct conn *conn)
{
	struct query q = query_of(c, conn);

	switch (c->rec->call) {
	case CALL_connect:
		if (!leaves(c))
			return meanwhile(c, conn, q.ask(&q), EALREADY);
		gate_end(conn, c->rec->fd, BOTH);
		return false;
	case CALL_shutdown:
		return give_up(c, conn);
	case CALL_getpeername:
		return answer(c, -1, ENOTCONN);
	case CALL_getsockopt:
		if (rec_arg(c->rec, 1) != SOL_SOCKET ||
		    rec_arg(c->rec, 2) != SO_ERROR ||
		    !readable(c->io.opt, c->io.opt_len))
			return false;
		memset(c->io.opt, 0, c->io.opt_len);
		*c->io.name_len = c->io.opt_len;
		return answer(c, 0, 0);
	}
	return false;
}

void handshake_after(struct call *c, const struct conn *conn)
{
	uint8_t *state = c->io.opt;	/* tcpi_state is the first */

	if (c->rec->call != CALL_getsockopt || !c->io.opt_len || !state ||
	    rec_arg(c->rec, 1) != IPPROTO_TCP ||
	    rec_arg(c->rec, 2) != TCP_INFO)
		return;
	if (conn->gated & CONNECTING)
		*state = TCP_SYN_SENT;
	else if (conn->gated & WAY_BIT(IN))
		/* the peer's FIN has not arrived */
		*state = *state == TCP_CLOSE_WAIT ? TCP_ESTABLISHED :
			 *state == TCP_LAST_ACK ? TCP_FIN_WAIT2 : *state;
}
