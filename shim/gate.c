/* SPDX-License-Identifier: MIT */
/*
 * Gates: closing and opening them, and what data calls meet at one.
 *
 * What arrived before a gate opened may be read freely from then on; latency=
 * then waits for what arrives later.  stall= and the latency of sending hold
 * up one call each: where readiness has been kept back already (gate_tells),
 * the call itself goes through.
 */
#include "gate.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define SECOND INT64_C(1000000000)
#define BOTH (WAY_BIT(IN) | WAY_BIT(OUT))
#define TICK 1000000			/* ns: shorter waits are not worth it */

/* ---- time --------------------------------------------------------------- */

int64_t gate_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

int64_t gate_in(int64_t ns)
{
	int64_t now = gate_now();

	return ns > FOREVER - now ? FOREVER : now + ns;
}

/* ---- the lock ------------------------------------------------------------- */

static _Atomic int32_t holder;		/* a thread */

uint64_t gate_lock(void)
{
	uint64_t all = ~UINT64_C(0), old = 0;
	int32_t nobody = 0;

	real.syscall(SYS_rt_sigprocmask, (long)SIG_BLOCK, &all, &old, 8L);
	while (!atomic_compare_exchange_weak(&holder, &nobody, me.tid)) {
		nobody = 0;
		real.syscall(SYS_sched_yield);
	}
	return old;
}

void gate_unlock(uint64_t mask)
{
	atomic_store(&holder, 0);
	real.syscall(SYS_rt_sigprocmask, (long)SIG_SETMASK, &mask, NULL, 8L);
}

/* ---- who waits in a call --------------------------------------------------- */

/*
 * read() of a timer is interrupted and restarted as any call on a socket is
 * that has no time-out (signal(7)).
 */
static struct waiter {
	_Atomic int32_t tid;		/* 0: free */
	int fd;				/* the timer; 0: none yet */
	struct conn *_Atomic conn;	/* what it waits for */
} waiters[64];

static bool dead(int32_t tid)
{
	return real.syscall(SYS_tgkill, (long)me.pid, (long)tid, 0L) &&
	       errno == ESRCH;
}

static struct waiter *waiter_take(void)
{
	for (int gone = 0; gone < 2; gone++)
		for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++) {
			int32_t tid = atomic_load(&waiters[i].tid);
			if (tid && !(gone && dead(tid)))
				continue;
			if (atomic_compare_exchange_strong(&waiters[i].tid,
							   &tid, me.tid))
				return &waiters[i];
		}
	return NULL;
}

/* A timer of ours, out of the program's reach; -1: there is none. */
int gate_timer(int flags)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | flags);

	if (fd < 0)
		return -1;
	fd = fd_hide(fd);
	real.fcntl(fd, F_SETFD, FD_CLOEXEC);
	fd_set_slot(fd, SLOT_OURS);
	return fd;
}

/* False: it is no timer any more. */
bool gate_timer_set(int fd, int64_t until)
{
	struct itimerspec t = { .it_value = { until / SECOND,
					      until % SECOND } };

	if (until == FOREVER)
		t.it_value = (struct timespec){ 0 };
	return !timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void gate_yield(int fd, int moved)
{
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
		if (waiters[i].fd == fd)
			waiters[i].fd = moved < 0 ? 0 : moved;
	watch_yield(fd, moved);
}

static void wake(struct conn *conn)
{
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++)
		if (atomic_load(&waiters[i].conn) == conn && waiters[i].fd)
			gate_timer_set(waiters[i].fd, 1);
}

/* 0, or EINTR whatever the handler's flags are. */
static int nap(int64_t until)
{
	int64_t left = until - gate_now();
	struct timespec t = { left / SECOND, left % SECOND };

	if (left <= 0)
		return 0;
	return real.ppoll(NULL, 0, &t, NULL) < 0 && errno == EINTR ? EINTR : 0;
}

/* 0, or EINTR when a handler without SA_RESTART has run. */
static int doze(struct conn *conn, int64_t until)
{
	struct waiter *w = waiter_take();
	uint64_t ticks;
	int err = 0;

	if (w && (!w->fd || !gate_timer_set(w->fd, until))) {
		w->fd = gate_timer(0);
		if (w->fd < 0 || !gate_timer_set(w->fd, until)) {
			w->fd = 0;
			atomic_store(&w->tid, 0);
			w = NULL;
		}
	}
	if (!w)
		return nap(until);
	atomic_store(&w->conn, conn);
	if (real.read(w->fd, &ticks, sizeof ticks) < 0 && errno == EINTR)
		err = EINTR;
	atomic_store(&w->conn, NULL);
	atomic_store(&w->tid, 0);
	return err;
}

/* The kernel has its end: nothing arrives later than that. */
static bool has_ended(const struct conn *conn, int fd)
{
	struct tcp_info info = { 0 };
	struct pollfd p = { fd, 0, 0 };
	socklen_t len = sizeof info;
	int n = 0;

	if (conn->role == ROLE_NONE || conn->role == ROLE_LISTENER ||
	    real.poll(&p, 1, 0) <= 0)
		return false;
	if (p.revents & POLLERR || conn->proto != PROTO_TCP)
		return p.revents & POLLERR;
	/* HUP may be said while there is more to read */
	return !real.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_CLOSE &&
	       !real.ioctl(fd, FIONREAD, &n) && !n;
}

/* Some of the time, so that a reset can be looked for now and then. */
static int slice(struct conn *conn, int64_t until, int64_t end)
{
	int err;

	until = earlier(until, gate_in(10 * TICK));
	err = end != FOREVER ? nap(earlier(until, end)) : doze(conn, until);
	return err ? err : end <= gate_now() ? EAGAIN : 0;
}

/* When the socket's own time-out ends. */
static int64_t own_end(int fd, enum way way)
{
	struct timeval t = { 0 };
	socklen_t len = sizeof t;

	real.getsockopt(fd, SOL_SOCKET, way == IN ? SO_RCVTIMEO : SO_SNDTIMEO,
			&t, &len);
	return gate_in(t.tv_sec * SECOND + t.tv_usec * 1000);
}

/* What is left of it passes, unless the kernel has something sooner. */
static int rest(int fd, enum way way, int64_t end)
{
	struct pollfd p = { fd, way == IN ? POLLIN : POLLOUT, 0 };
	int64_t left = end - gate_now();
	struct timespec t = { left / SECOND, left % SECOND };
	int n = left > 0 ? real.ppoll(&p, 1, &t, NULL) : 0;

	return n < 0 ? EINTR : n ? 0 : EAGAIN;
}

int gate_wait(struct call *c, struct conn *conn, enum way way, int waits)
{
	int fd = c->rec->fd, err = 0;
	bool bounded = waits == WAITS_BOUNDED;
	int64_t end = bounded ? own_end(fd, way) : FOREVER;
	uint32_t ordinal = conn->ordinal;

	while (!err && conn->ordinal == ordinal && gate_shut(conn, fd, way) &&
	       !(way == IN ? conn->deaf : conn->mute)) {
		int64_t until = atomic_load(&conn->gate[way].until);
		if (!until)
			break;
		err = slice(conn, until, end);
		if (!(conn->gated & CONNECTING) && has_ended(conn, fd))
			gate_end(conn, fd, BOTH);
	}
	return !err && bounded && c->family != FAMILY_CONNECT
	       ? rest(fd, way, end) : err;
}

int gate_queue(struct call *c, struct conn *conn, int waits)
{
	int64_t end = waits == WAITS_BOUNDED ? own_end(c->rec->fd, OUT)
					     : FOREVER;
	int err = 0;

	while (!err && atomic_load(&conn->queued) > gate_now())
		err = waits ? slice(conn, atomic_load(&conn->queued), end)
			    : EAGAIN;
	return err;
}

/* ---- closing and opening ----------------------------------------------------- */

_Atomic uint32_t gate_closed_n;
static uint32_t *list;			/* of sockets with a closed gate */

struct conn *gate_closed(uint32_t n)
{
	return &fd_pool[list[n]];
}

static void list_add(struct conn *conn)
{
	conn->closed_at = gate_closed_n;
	list[gate_closed_n++] = conn - fd_pool;
}

static void list_remove(struct conn *conn)
{
	uint32_t last = list[--gate_closed_n];

	list[conn->closed_at] = last;
	fd_pool[last].closed_at = conn->closed_at;
}

void gate_start(void)
{
	void *p = mmap(NULL, fd_pool_n() * sizeof *list,
		       PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	list = p == MAP_FAILED ? NULL : p;
	config.gates = list != NULL;
}

void gate_child(void)
{
	/* the timers are the parent's, too */
	for (size_t i = 0; i < sizeof waiters / sizeof *waiters; i++) {
		if (waiters[i].fd) {
			fd_set_slot(waiters[i].fd, SLOT_OTHER);
			real.close(waiters[i].fd);
		}
		waiters[i].fd = 0;
		atomic_store(&waiters[i].conn, NULL);
		atomic_store(&waiters[i].tid, 0);
	}
	atomic_store(&holder, 0);
}

void gate_close(struct conn *conn, uint8_t ways, int64_t until)
{
	uint64_t mask = gate_lock();

	if (!conn->gated)
		list_add(conn);
	for (int i = IN; i <= OUT; i++)
		if (ways & WAY_BIT(i))
			atomic_store(&conn->gate[i].until, until);
	atomic_fetch_or(&conn->gated, ways);
	watch_mask(conn);
	gate_unlock(mask);
}

/* What can be read without waiting again. */
static int64_t free_now(const struct conn *conn, int fd)
{
	struct pollfd p = { fd, POLLRDHUP, 0 };
	int n = 0;

	if (fd < 0 || conn->role == ROLE_LISTENER)
		return 0;
	/* its end is there: nothing will arrive after that */
	if (real.poll(&p, 1, 0) > 0)
		return FOREVER;
	return !real.ioctl(fd, FIONREAD, &n) && n > 0 ? n : 0;
}

static void open_way(struct conn *conn, int fd, enum way way)
{
	atomic_store(&conn->gate[way].until, 0);
	if (way == IN && !(conn->gated & CONNECTING))
		atomic_store(&conn->gate[IN].free, free_now(conn, fd));
	atomic_fetch_and(&conn->gated, ~WAY_BIT(way));
}

/* Those whose time is before now. */
static void open_until(struct conn *conn, int fd, int ways, int64_t now)
{
	uint8_t was = conn->gated;

	for (int i = IN; i <= OUT; i++)
		if (was & ways & WAY_BIT(i) &&
		    atomic_load(&conn->gate[i].until) <= now)
			open_way(conn, fd, i);
	if (conn->gated == was)
		return;
	if (atomic_exchange(&conn->missed, false))
		watch_missed(conn);
	if (!(conn->gated & (WAY_BIT(IN) | WAY_BIT(OUT)))) {
		atomic_store(&conn->gated, 0);
		list_remove(conn);
	}
	watch_mask(conn);
	wake(conn);
}

void gate_open(struct conn *conn, int fd, int ways)
{
	if (conn->gated)
		open_until(conn, fd, ways, FOREVER);
}

void gate_expire(void)
{
	int64_t now = gate_now();

	for (uint32_t i = gate_closed_n; i--;) {
		struct conn *conn = gate_closed(i);
		open_until(conn, watch_fd(conn), BOTH, now);
	}
}

bool gate_shut(struct conn *conn, int fd, enum way way)
{
	int64_t until = atomic_load(&conn->gate[way].until);
	uint64_t mask;

	if (!until)
		return false;
	if (until > gate_now())
		return true;
	mask = gate_lock();
	if (conn->gated)
		open_until(conn, fd, BOTH, gate_now());
	gate_unlock(mask);
	return false;
}

void gate_hide(struct conn *conn)
{
	if (!conn->gated)
		return;
	atomic_fetch_or(&conn->gated, HIDDEN);
	watch_mask(conn);
}

void gate_end(struct conn *conn, int fd, int ways)
{
	uint64_t mask;

	if (!conn->gated)
		return;
	mask = gate_lock();
	gate_open(conn, fd, ways);
	gate_unlock(mask);
}

/* The socket is a new one, or gone. */
void gate_forget(struct conn *conn)
{
	uint64_t mask;

	if (conn->gated || conn->regs) {
		mask = gate_lock();
		watch_drop(conn);
		gate_open(conn, NO_FD, BOTH);
		gate_unlock(mask);
	}
	memset(conn->gate, 0, sizeof conn->gate);
	conn->queued = 0;
	conn->deaf = conn->mute = conn->missed = false;
}

/* ---- what rules say ------------------------------------------------------------ */

static enum way way_of(int family)
{
	return family == FAMILY_RECV || family == FAMILY_ACCEPT ? IN : OUT;
}

static bool arrived(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return real.poll(&p, 1, 0) > 0;
}

/* It meets a closed gate. */
static bool hold(struct call *c, struct conn *conn, enum way way, int waits)
{
	int err;

	if (!c->rec->rule && conn->gate[way].rule)
		fault_mark(c, conn->gate[way].rule);
	if (c->io.flags & MSG_OOB && way == IN)
		return answer_failure(c, EINVAL);	/* tcp_recv_urg */
	err = waits ? gate_wait(c, conn, way, waits) : EAGAIN;
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
	    (!waits && !arrived(fd))) {
		fault_unmark(c);
		return false;
	}
	if (!arrived(fd)) {
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
	atomic_store(&conn->gate[IN].served, true);
	gate_close(conn, WAY_BIT(IN), gate_in(ns));
	return hold(c, conn, IN, waits);
}

static bool act_wait(struct call *c, struct conn *conn, enum way way,
		     int64_t ns, int waits)
{
	atomic_store(&conn->gate[way].served, true);
	gate_close(conn, WAY_BIT(way), gate_in(ns));
	return hold(c, conn, way, waits);
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
		io_shorten(&c->io, most);
	}
	return false;
}

bool gate_act(struct call *c, struct conn *conn, const struct verdict *v,
	      struct query *q)
{
	const struct rule *r = v->rule;
	enum way way = way_of(q->family);
	int64_t ns = draw_between(v->draw, r->time[0], r->time[1]);

	if (!conn || (way == IN ? conn->deaf : conn->mute) ||
	    has_ended(conn, c->rec->fd)) {
		fault_unmark(c);
		return false;
	}
	if (r->action == FIELD_RATE)
		return act_rate(c, r, q);
	if (atomic_exchange(&conn->gate[way].served, false))
		return false;
	atomic_store(&conn->gate[way].rule, v->id);
	if (r->action == FIELD_LATENCY && way == IN)
		return late_in(c, conn, ns, q->ask(q));
	return act_wait(c, conn, way, ns, q->ask(q));
}

/* ---- readiness ------------------------------------------------------------------ */

/* A call that has not been made: what the next one would meet. */
static bool next_of(struct conn *conn, int fd, int family, struct verdict *v)
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
	q.size = 1;
	*v = rules_ask(&rules, &q);
	return v->rule && (v->rule->action == FIELD_LATENCY ||
			   (v->rule->action == FIELD_STALL &&
			    family != FAMILY_ACCEPT));
}

bool gate_tells(struct conn *conn, int fd, enum way way)
{
	struct gate *g = &conn->gate[way];
	int family = way == OUT ? FAMILY_SEND :
		     conn->role == ROLE_LISTENER ? FAMILY_ACCEPT : FAMILY_RECV;
	struct verdict v;
	int64_t ns;

	if (!config.latent || atomic_load(&g->served) ||
	    (way == IN ? conn->deaf : conn->mute) ||
	    !fault_may_be(conn, family) || !next_of(conn, fd, family, &v) ||
	    has_ended(conn, fd))
		return true;
	if (v.rule->action == FIELD_LATENCY && family == FAMILY_RECV) {
		if (atomic_load(&g->free) > 0)
			return true;
	}
	atomic_store(&g->served, true);
	rules_acted(&rules, v.id);
	me.held = v.id;
	atomic_store(&g->rule, v.id);
	ns = draw_between(v.draw, v.rule->time[0], v.rule->time[1]);
	if (!conn->gated)
		list_add(conn);
	atomic_store(&g->until, gate_in(ns));
	atomic_fetch_or(&conn->gated, WAY_BIT(way));
	watch_mask(conn);
	return false;
}

/* ---- the calls -------------------------------------------------------------------- */

/*
 * What would have come after the program's own SHUT_RD can be read once it is
 * there (tcp_recvmsg), and till then there is nothing.  SHUT_WR makes TCP
 * writable, in order to say EPIPE (tcp_poll), but not AF_UNIX.
 */
void gate_shutdown(struct conn *conn, int how)
{
	uint64_t mask = gate_lock();

	conn->deaf |= how != SHUT_WR;
	conn->mute |= how != SHUT_RD;
	if (conn->mute && conn->proto == PROTO_TCP)
		gate_open(conn, NO_FD, WAY_BIT(OUT));
	if (conn->gated) {
		watch_mask(conn);
		wake(conn);
	}
	gate_unlock(mask);
}

/* Questions about what has arrived. */
static bool asks(struct call *c, struct conn *conn)
{
	int fd = c->rec->fd;
	uint64_t mask;

	if (!gate_shut(conn, fd, IN) && config.latent && arrived(fd)) {
		mask = gate_lock();
		if (!conn->gated)
			gate_tells(conn, fd, IN);
		gate_unlock(mask);
		me.held = 0;
	}
	if (!gate_shut(conn, fd, IN))
		return false;
	if (c->rec->call == CALL_ioctl)
		*(int *)c->io.opt = 0;
	return answer(c, 0, 0);
}

bool gate_before(struct call *c, struct conn *conn)
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
	if (id == CALL_sockatmark || (id == CALL_ioctl && c->io.opt))
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

	gate_tells(conn, c->rec->fd, way);
	gate_unlock(mask);
	if (me.held)
		fault_held(c);
}

void gate_moved(struct call *c, struct conn *conn, size_t n)
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

void gate_served(struct call *c)
{
	struct conn *conn = slot_conn(c->slot);
	int family = c->family;

	if (conn && (family == FAMILY_SEND || family == FAMILY_RECV ||
		     family == FAMILY_ACCEPT))
		atomic_store(&conn->gate[way_of(family)].served, false);
}
