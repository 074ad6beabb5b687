/* SPDX-License-Identifier: MIT */
/*
 * Faults: the rules are asked before a call, where it has made a descriptor,
 * and as a stream reaches a byte.  What they say is carried out by one of the
 * mechanisms of errors.def; what cannot be carried out is left alone, and then
 * no rule is named in the record.
 */
#include "gate.h"

/* ---- the record ----------------------------------------------------------- */

/* The rule is named from here on, and the sinks see the call. */
void fault_mark(struct call *c, int id)
{
	struct rec *r = c->rec, *slot;

	rules_tell(id);
	if (!c->wanted) {
		c->wanted = c->forced = true;
		r->start = ticks();
		slot = config.trace ? trace_slot(1) : NULL;
		if (slot) {
			*slot = *r;
			c->rec = r = slot;
		}
	}
	r->rule = id;
}

void fault_unmark(struct call *c)
{
	c->rec->rule = 0;
	if (c->forced)
		c->wanted = false;
}

/* ---- the actions ------------------------------------------------------------- */

/* The errno the end goes by.  ENOTCONN is what shutdown makes of any. */
static int label_of(const struct verdict *v)
{
	int err = v->rule->error;

	return v->rule->action == FIELD_ERROR && err != ENOTCONN ? err
								 : ECONNRESET;
}

static bool moves(const struct call *c)
{
	return c->family == FAMILY_RECV || c->family == FAMILY_SEND;
}

static void end(struct call *c, struct conn *conn, const struct verdict *v,
		bool keep, bool waits)
{
	if (v->rule->action == FIELD_EOF)
		sever_eof(conn, c->rec->fd, keep);
	else
		sever_reset(conn, c->rec->fd, label_of(v),
			    (keep ? SEVER_KEEP : 0) |
			    (waits ? SEVER_WAITS : 0) |
			    (keep && moves(c) ? SEVER_MINE : 0));
}

/* The connection ends; the call then meets what there is to meet. */
static bool end_before(struct call *c, struct conn *conn,
		       const struct verdict *v, bool waits)
{
	/* at= cuts right there, whatever had arrived beyond */
	end(c, conn, v, !(v->rule->with & WITH(AT)), waits);
	return sever_before(c, conn) || sever_meet(c, conn);
}

static bool end_connect(struct call *c, struct conn *conn,
			const struct verdict *v)
{
	if (sever_refuse(c, conn, label_of(v)))
		return true;
	fault_unmark(c);
	return false;
}

static bool act_error(struct call *c, struct conn *conn,
		      const struct verdict *v, struct query *q)
{
	int err = v->rule->error;
	bool once = v->rule->with & WITH(ONCE);
	int mechanism = v->fault && !once ? v->fault->mechanism : ANSWER;

	switch (conn ? mechanism : ANSWER) {
	case SEVER:
		return end_before(c, conn, v, q->waits);
	case REFUSE:
		return end_connect(c, conn, v);
	case START:
		return answer_start(c);
	default:
		if (err != EAGAIN || !conn || q->family == FAMILY_CONNECT ||
		    q->ask(q) != WAITS_BOUNDED)
			return answer_error(c, conn, err);
		if (late_nothing(c, conn))
			return true;
		fault_unmark(c);	/* a reset came first */
		return false;
	}
}

static bool act(struct call *c, struct conn *conn, const struct verdict *v,
		struct query *q)
{
	const struct rule *r = v->rule;

	if (r->with & WITH(DELAY))
		answer_sleep(draw_between(v->draw, r->delay[0], r->delay[1]));
	if (r->with & WITH(SIGNAL))
		fault_raise(r->signal);
	switch (r->action) {
	case FIELD_ERROR:
		return act_error(c, conn, v, q);
	case FIELD_SHORT:
		c->shortened = rule_short(r, v->draw, q->size);
		if (c->shortened < query_piece(q))
			c->shortened = query_piece(q);
		c->asked = q->size;
		if (c->shortened < q->size)
			io_shorten(&c->io, c->shortened);
		else
			fault_unmark(c);
		return false;
	case FIELD_RESET:
		if (q->family == FAMILY_CONNECT)
			return end_connect(c, conn, v);
		/* fall through */
	case FIELD_EOF:
		return end_before(c, conn, v, q->waits);
	case FIELD_INPROGRESS:
		return handshake_act(c, conn, v, q);
	case FIELD_STALL:
		if (q->family == FAMILY_CONNECT)
			return handshake_act(c, conn, v, q);
		/* fall through */
	case FIELD_LATENCY:
	case FIELD_RATE:
		return late_act(c, conn, v, q);
	default:
		return false;
	}
}

/* ---- the address that accept hands out ------------------------------------------ */

/* accept writes the peer's address only when it succeeds. */
static void name_keep(struct call *c)
{
	socklen_t room = 0;

	c->io.room = 0;
	if (c->family != FAMILY_ACCEPT || !c->io.name_out ||
	    !readable(c->io.name_len, sizeof room))
		return;
	room = *c->io.name_len;
	if (room <= sizeof c->io.kept && readable(c->io.name_out, room)) {
		memcpy(c->io.kept, c->io.name_out, room);
		c->io.room = room;
	}
}

static void name_back(struct call *c)
{
	if (!c->io.room)
		return;
	memcpy(c->io.name_out, c->io.kept, c->io.room);
	*c->io.name_len = c->io.room;
}

/* ---- before the call ------------------------------------------------------------ */

/*
 * stdio reads in libc, where nothing can be put before it: there the end
 * comes when what had arrived has been read.
 */
static bool too_early(const struct call *c, const struct verdict *v)
{
	int n = 0;
	bool ends = v->rule->action == FIELD_RESET ||
		    v->rule->action == FIELD_EOF ||
		    (v->fault && v->fault->mechanism == SEVER);

	return ends && c->io.stream &&
	       c->family == FAMILY_RECV &&
	       !real.ioctl(c->rec->fd, FIONREAD, &n) && n;
}

static _Atomic uint32_t others[FAMILIES];	/* calls about no socket */

static struct verdict ask_once(struct call *c, struct conn *conn,
			       struct query *q)
{
	c->nth = atomic_fetch_add(conn ? &conn->nth[c->family]
				       : &others[c->family], 1) + 1;
	*q = query_of(c, conn);
	return rules_ask(&rules, q);
}

static bool ask_rules(struct call *c, struct conn *conn)
{
	struct query q;
	struct verdict v;

	if (query_futile(c->rec->call) || !query_has_subject(c, conn) ||
	    !query_reaches_kernel(c) || !query_sound(c) ||
	    (c->family == FAMILY_CONNECT && !query_starts(c, conn)))
		return false;
	v = ask_once(c, conn, &q);
	if ((v.rule || v.cut < q.size) && conn && !call_still(c)) {
		/* it is another one: then that is what is asked about */
		conn = slot_conn(c->slot);
		if (!conn)
			return false;
		v = ask_once(c, conn, &q);
	}
	c->cut = v.cut < q.size;
	if (c->cut)
		io_shorten(&c->io, v.cut);
	if (!v.rule || v.rule->action == FIELD_PASS)
		return false;
	if (too_early(c, &v)) {
		conn->due = v.id;
		return false;
	}
	fault_mark(c, v.id);
	return act(c, conn, &v, &q);
}

/* A rule that waited until what had arrived was read (too_early). */
static void due(struct call *c, struct conn *conn)
{
	struct verdict v = { .id = conn->due };
	int n = 0;

	if (c->family != FAMILY_RECV ||
	    real.ioctl(c->rec->fd, FIONREAD, &n) || n)
		return;
	v.rule = &rules.rule[conn->due - 1];
	conn->due = 0;
	fault_mark(c, v.id);
	end(c, conn, &v, false, true);
}

/* Once a connection has ended, the kernel alone says what its calls do. */
static bool over(const struct call *c, const struct conn *conn)
{
	int family = c->family;

	if (!conn || !conn->fate)
		return false;
	return conn->fate == FATE_EOF ? family == FAMILY_RECV
				      : family == FAMILY_RECV ||
					family == FAMILY_SEND ||
					family == FAMILY_SHUTDOWN;
}

/*
 * Faults take system calls that the program would not have made.  Under a
 * filter that would kill it for one of them (sandbox.c) there are none.
 */
static bool sandboxed(void)
{
	return !own_may_all(~UINT64_C(0) << OWN_GETUID | 1 << OWN_GETSOCKOPT |
			    1 << OWN_SIGMASK |
			    1 << OWN_GETSOCKNAME | 1 << OWN_GETPEERNAME |
			    1 << OWN_MMAP | 1 << OWN_MUNMAP);
}

bool fault_before(struct call *c)
{
	struct conn *conn = slot_conn(c->slot);
	int err = errno;
	bool answered = false;

	if (sandboxed())
		return c->answered = false;
	if (conn && (conn->fate || conn->due || conn->gated))
		conn = call_verified(c);
	if (conn && conn->due)
		due(c, conn);
	if (conn && (conn->gated || conn->queued || config.latent))
		answered = late_before(c, conn);
	if (conn && conn->fate && !answered)
		answered = sever_before(c, conn);
	if (!answered && !over(c, conn) &&
	    call_set_has(&config.ruled, c->rec->call) &&
	    !(config.latent && conn && late_asked(c, conn)))
		answered = ask_rules(c, conn);
	if (config.gates && !answered)
		late_served(c);
	if (!answered)
		name_keep(c);
	c->answered = answered;
	errno = answered ? c->answer_err : err;
	return answered;
}

/* ---- after the call ------------------------------------------------------------- */

static bool takes(const struct verdict *v)
{
	return v->rule->action == FIELD_ERROR && v->fault &&
	       v->fault->mechanism == TAKE;
}

static void renumber(const struct rule *r, long *fd)
{
	int flags = real.fcntl(*fd, F_GETFD);
	int to = real.fcntl(*fd, flags & FD_CLOEXEC ? F_DUPFD_CLOEXEC
						    : F_DUPFD, r->number);

	if (to < 0)
		return;
	real.close(*fd);
	*fd = to;
}

/* A descriptor has been made: take it away, give it another number, end it. */
static void made(struct call *c, struct conn *conn, long *ret, int *err)
{
	struct sockaddr_storage addr[2];
	struct query q = query_of(c, conn);
	struct verdict v;

	q.moment = MADE;
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof addr[i];
		int r = i ? real.getpeername(*ret, (void *)&addr[i], &len)
			  : real.getsockname(*ret, (void *)&addr[i], &len);
		q.addr[i] = &addr[i];
		q.alen[i] = r ? 0 : len;
	}
	v = rules_ask(&rules, &q);
	if (!v.rule || v.rule->action == FIELD_PASS)
		return;
	fault_mark(c, v.id);
	if (v.rule->action == FIELD_NUMBER) {
		renumber(v.rule, ret);
	} else if (takes(&v)) {
		real.close(*ret);
		*ret = -1;
		*err = v.rule->error;
		name_back(c);
	} else {
		c->end_made = true;
	}
}

/* The stream has got somewhere: an at= may have been waiting for it. */
static void moved(struct call *c, struct conn *conn, size_t n)
{
	bool out = c->family == FAMILY_SEND;
	struct query q;
	struct verdict v;

	atomic_fetch_add(&conn->bytes[out], n);
	if (config.gates)
		late_moved(c, conn, n);
	if (!n || !config.offsets || conn->fate)
		return;
	q = query_of(c, conn);
	q.moment = REACHED;
	v = rules_ask(&rules, &q);
	if (!v.rule || v.rule->action == FIELD_PASS || !call_still(c))
		return;
	fault_mark(c, v.id);
	end(c, conn, &v, false, q.ask(&q));
}

static void count_moved(struct call *c, struct conn *conn, long ret)
{
	int family = c->family;

	if (family == FAMILY_RECV && c->io.flags & MSG_PEEK &&
	    c->io.shape && !(c->io.flags & (MSG_OOB | MSG_ERRQUEUE)))
		atomic_store(&conn->shown, atomic_load(&conn->bytes[0]) +
					   io_moved(&c->io, ret));
	if ((family == FAMILY_SEND || family == FAMILY_RECV) &&
	    c->io.shape && !c->io.stream &&
	    !(c->io.flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
		moved(c, conn, io_moved(&c->io, ret));
}

/* The connection has ended while an untouched call was waiting on it. */
void fault_late(struct call *c, long *ret, int *err)
{
	struct conn *conn = slot_conn(c->slot);

	memset(&c->io, 0, IO_ZERO);
	if (!sandboxed() && call_still(c))
		sever_after(c, conn, ret, err);
}

long fault_missed(int id, int fd, long ret)
{
	struct call c = { .slot = fd_slot(fd), .family = calls[id].family,
			  .rec = &c.own };
	int err = errno;

	if ((err != EPIPE && err != ECONNRESET) || !call_late(&c) ||
	    (c.family != FAMILY_RECV && c.family != FAMILY_SEND))
		return ret;
	c.own.call = id;
	c.own.fd = fd;
	fault_late(&c, &ret, &err);
	errno = err;
	return ret;
}

void fault_after(struct call *c, long *ret, int *err)
{
	struct conn *conn = slot_conn(c->slot);
	int family = c->family;

	io_restore(&c->io, family == FAMILY_RECV, *ret);
	if (c->close_err && *ret == 0) {
		*ret = -1;
		*err = c->close_err;
	}
	if (sandboxed())
		return;
	if (conn && conn->fate && !c->answered)
		sever_after(c, conn, ret, err);
	if (config.gates && conn && conn->gated && !*ret)
		handshake_after(c, conn);
	if (config.gates && conn && !*ret && c->rec->call == CALL_shutdown &&
	    !c->answered)
		gate_shutdown(conn, rec_arg(c->rec, 1));
	if (c->nap && *ret >= 0)
		answer_sleep(c->nap);
	if (conn && conn->firing == me.tid)
		atomic_store(&conn->firing, 0);
	if (*ret >= 0 && !c->answered &&
	    (c->rec->call == CALL_accept || c->rec->call == CALL_accept4 ||
	     c->rec->call == CALL_socket) &&
	    call_set_has(&config.ruled, c->rec->call))
		made(c, conn, ret, err);
	if (conn && *ret > 0)
		count_moved(c, conn, *ret);
	/* there, the rule may have had its turns: then it was just short */
	if (conn && (c->shortened || c->cut) && *ret > 0)
		ready_rearm(conn, c->rec->fd, family == FAMILY_RECV);
	/* there was no more anyway */
	if (c->shortened && io_moved(&c->io, *ret) < c->shortened)
		fault_unmark(c);
}

void fault_held(struct call *c)
{
	int id = me.held;

	me.held = 0;
	fault_mark(c, id);
}

void fault_made(struct call *c)
{
	struct conn *conn = slot_conn(c->made);

	if (conn)
		sever_reset(conn, c->rec->ret, ECONNRESET,
			    SEVER_KEEP | SEVER_WAITS);
}
