/* SPDX-License-Identifier: MIT */
/*
 * Rules that take time, and what calls meet at a gate.  stall= and the latency
 * of sending hold up one call each: where readiness has been kept back already
 * (late_tells), the call itself goes through (served).
 */
#include "gate.h"

#include <sys/ioctl.h>

/* ---- what rules say ------------------------------------------------------------ */

/* Why the next call goes through: it has waited; or it has been asked about,
 * too, when readiness was kept back. */
enum { SERVED = 1, ASKED };

static enum way way_of(int family)
{
	return family == FAMILY_RECV || family == FAMILY_ACCEPT ? IN : OUT;
}

/* It meets a closed gate. */
static bool hold(struct call *c, struct conn *conn, enum way way, int waits)
{
	int err;

	if (!c->rec->rule && conn->gate[way].rule)
		fault_mark(c, conn->gate[way].rule);
	if (c->io.flags & MSG_OOB && way == IN)
		return answer_failure(c, EINVAL);	/* tcp_recv_urg */
	err = waits ? pause_wait(c, conn, way, waits) : EAGAIN;
	if (way == IN && conn->deaf && gate_shut(conn, c->rec->fd, IN))
		return answer(c, 0, 0);		/* nothing until it opens */
	if (!err)
		return false;
	atomic_store(&conn->missed, true);
	if (c->io.stream)
		answer_stream(c->io.stream, c->family);
	return answer_failure(c, err);
}

/*
 * What has arrived is to arrive later.  A call that waits looks at it first,
 * as long as it would wait; an error that it meets there is its own, and not
 * delayed.
 */
static bool late_in(struct call *c, struct conn *conn, int64_t ns, int waits)
{
	int fd = c->rec->fd, err;
	char byte;

	if (atomic_load(&conn->gate[IN].free) > 0 ||
	    (!waits && !ready_now(fd, POLLIN))) {
		fault_unmark(c);
		return false;
	}
	pause_end(c, IN, waits);
	if (!ready_now(fd, POLLIN)) {
		if (c->family == FAMILY_ACCEPT) {
			c->nap = ns;
			return false;
		}
		if (real.recv(fd, &byte, 1, MSG_PEEK) < 0) {
			err = errno;
			if (c->io.stream)
				answer_stream(c->io.stream, c->family);
			return answer_failure(c, err);
		}
	}
	gate_close(conn, WAY_BIT(IN), gate_in(ns));
	atomic_store(&conn->gate[IN].served, SERVED);
	return hold(c, conn, IN, waits);
}

static bool act_wait(struct call *c, struct conn *conn, enum way way,
		     int64_t ns, int waits)
{
	gate_close(conn, WAY_BIT(way), gate_in(ns));
	atomic_store(&conn->gate[way].served, SERVED);
	return hold(c, conn, way, waits);
}

bool late_nothing(struct call *c, struct conn *conn)
{
	enum way way = way_of(c->family);

	gate_close(conn, WAY_BIT(way), pause_end(c, way, WAITS_BOUNDED));
	return hold(c, conn, way, WAITS_BOUNDED);
}

/*
 * rate=: twenty milliseconds' worth at once, then the rest of them pass.  What
 * is only a little more goes whole: a small piece behind it would wait for the
 * peer's delayed acknowledgement (tcp_nagle_test).
 */
static bool act_rate(struct call *c, const struct rule *r, struct query *q)
{
	uint64_t most = r->rate / 50 ? r->rate / 50 : 1;
	bool waits = q->ask(q) == 1;

	c->rate = r->rate;
	if (most < query_piece(q))
		most = query_piece(q);
	if (q->sized && !q->whole && q->protos & (IS_TCP | IS_STREAM) &&
	    2 * most <= q->size && !(waits && q->family == FAMILY_SEND)) {
		c->shortened = most;
		c->asked = q->size;
		io_shorten(&c->io, most);
	}
	return false;
}

bool late_act(struct call *c, struct conn *conn, const struct verdict *v,
	      struct query *q)
{
	const struct rule *r = v->rule;
	enum way way = way_of(q->family);
	int64_t ns = draw_between(v->draw, r->time[0], r->time[1]);

	if (!conn || (way == IN ? conn->deaf : conn->mute) ||
	    gate_over(conn, c->rec->fd)) {
		fault_unmark(c);
		return false;
	}
	if (r->action == FIELD_RATE)
		return act_rate(c, r, q);
	if (atomic_exchange(&conn->gate[way].served, false)) {
		if (!gate_shut(conn, c->rec->fd, way))
			return false;
		/* another thread has kept back what this one asked for */
		atomic_store(&conn->gate[way].served, SERVED);
		return hold(c, conn, way, q->ask(q));
	}
	atomic_store(&conn->gate[way].rule, v->id);
	if (r->action == FIELD_LATENCY && way == IN)
		return late_in(c, conn, ns, q->ask(q));
	return act_wait(c, conn, way, ns, q->ask(q));
}

/* ---- readiness ------------------------------------------------------------------ */

/*
 * A call that has not been made: what the next one would meet.  Taken, it is
 * counted as if it had been made.
 */
static bool next_of(struct conn *conn, int fd, int family, bool taken,
		    struct verdict *v)
{
	struct call c = { .slot = SLOT_CONN + (conn - fd_pool),
			  .family = family, .rec = &c.own };
	struct query q;

	c.own.call = family == FAMILY_ACCEPT ? CALL_accept :
		     family == FAMILY_RECV ? CALL_recv : CALL_send;
	c.own.fd = fd;
	c.nth = atomic_load(&conn->nth[family]) + 1;
	q = query_of(&c, conn);
	q.guess = q.sized = true;
	q.taken = taken;
	q.size = 1;
	*v = rules_ask(&rules, &q);
	return v->rule && (v->rule->action == FIELD_LATENCY ||
			   (v->rule->action == FIELD_STALL &&
			    family != FAMILY_ACCEPT));
}

bool late_tells(struct conn *conn, int fd, enum way way)
{
	struct gate *g = &conn->gate[way];
	int family = way == OUT ? FAMILY_SEND :
		     conn->role == ROLE_LISTENER ? FAMILY_ACCEPT : FAMILY_RECV;
	struct verdict v;
	int64_t ns;

	if (atomic_load(&g->until) && !(way == IN && conn->deaf))
		return false;		/* it has just been closed */
	if (!config.latent || atomic_load(&g->served) ||
	    (way == IN ? conn->deaf : conn->mute) ||
	    !fault_may_be(conn, family) || !next_of(conn, fd, family, false, &v) ||
	    gate_over(conn, fd))
		return true;
	if (v.rule->action == FIELD_LATENCY && family == FAMILY_RECV) {
		if (atomic_load(&g->free) > 0)
			return true;
	}
	if (!next_of(conn, fd, family, true, &v))
		return true;		/* another thread's call was it */
	me.held = v.id;
	atomic_store(&g->rule, v.id);
	ns = draw_between(v.draw, v.rule->time[0], v.rule->time[1]);
	gate_shuts(conn, WAY_BIT(way), gate_in(ns));
	atomic_store(&g->served, ASKED);
	return false;
}

/* ---- the calls -------------------------------------------------------------------- */

/* Questions about what has arrived. */
static bool asks(struct call *c, struct conn *conn)
{
	int fd = c->rec->fd;
	uint64_t mask;

	if (!gate_shut(conn, fd, IN) && config.latent && ready_now(fd, POLLIN)) {
		mask = gate_lock();
		if (!conn->gated)
			late_tells(conn, fd, IN);
		gate_unlock(mask);
		me.held = 0;
	}
	if (!gate_shut(conn, fd, IN))
		return false;
	if (c->rec->call == CALL_ioctl)
		*(int *)c->io.opt = 0;
	return answer(c, 0, 0);
}

static bool asks_what_came(const struct call *c)
{
	return rec_arg(c->rec, 1) == FIONREAD ||
	       rec_arg(c->rec, 1) == SIOCATMARK;
}

bool late_before(struct call *c, struct conn *conn)
{
	int family = c->family, fd = c->rec->fd, id = c->rec->call;
	bool moves = family == FAMILY_SEND || family == FAMILY_RECV ||
		     family == FAMILY_ACCEPT;
	enum way way = way_of(family);
	struct query q;

	if (conn->gated & CONNECTING && gate_shut(conn, fd, OUT) && !moves &&
	    handshake_before(c, conn))
		return true;
	if (id == CALL_connect && conn->queued)
		return handshake_queued(c, conn);
	if (id == CALL_sockatmark ||
	    (id == CALL_ioctl && c->io.opt && asks_what_came(c)))
		return asks(c, conn);
	if (!moves || query_futile(id) || !query_reaches_kernel(c) ||
	    !query_sound(c) || c->io.flags & MSG_ERRQUEUE ||
	    (way == OUT && conn->mute) ||
	    !gate_shut(conn, fd, way))
		return false;
	q = query_of(c, conn);
	return hold(c, conn, way, q.ask(&q));
}

/* A rule with at= may begin where the stream has got to. */
static void stops_here(struct call *c, struct conn *conn, enum way way)
{
	uint64_t mask = gate_lock();

	late_tells(conn, c->rec->fd, way);
	gate_unlock(mask);
	if (me.held)
		fault_held(c);
}

void late_moved(struct call *c, struct conn *conn, size_t n)
{
	enum way way = way_of(c->family);
	struct gate *g = &conn->gate[way];
	int64_t now, from;
	int left = 0;

	if (way == IN && atomic_load(&g->free) > 0 &&
	    atomic_fetch_sub(&g->free, n) <= (int64_t)n)
		/* the next datagram came with it */
		atomic_store(&g->free, conn->proto != PROTO_TCP &&
			     conn->proto != PROTO_UNIX &&
			     !real.ioctl(c->rec->fd, FIONREAD, &left)
			     ? left : 0);
	if (config.offsets && config.latent && !(conn->gated & WAY_BIT(way)))
		stops_here(c, conn, way);
	if (!c->rate)
		return;
	now = gate_now();
	from = now - 20 * TICK > g->paid ? now - 20 * TICK : g->paid;
	g->paid = from + (int64_t)((double)n * SECOND / c->rate);
	if (g->paid - now > TICK)
		gate_close(conn, WAY_BIT(way), g->paid);
}

bool late_asked(struct call *c, struct conn *conn)
{
	int family = c->family;
	struct gate *g = &conn->gate[way_of(family)];
	struct verdict v;
	struct query q;

	if ((family != FAMILY_SEND && family != FAMILY_RECV &&
	     family != FAMILY_ACCEPT) || atomic_load(&g->served) != ASKED)
		return false;
	c->nth = atomic_fetch_add(&conn->nth[family], 1) + 1;
	fault_mark(c, g->rule);
	q = query_of(c, conn);
	q.guess = true;
	v = rules_ask(&rules, &q);
	if (v.cut < q.size)
		io_shorten(&c->io, v.cut);
	return true;
}

void late_served(struct call *c)
{
	struct conn *conn = slot_conn(c->slot);
	int family = c->family;

	if (conn && (family == FAMILY_SEND || family == FAMILY_RECV ||
		     family == FAMILY_ACCEPT))
		atomic_store(&conn->gate[way_of(family)].served, false);
}
