/* SPDX-License-Identifier: MIT */
/*
 * What epoll sets were told to watch.  While a gate is closed, the
 * registrations of its socket are changed so that the kernel does not tell of
 * it.  Events carry the program's own data throughout.
 *
 * All of it is under the lock of gate.c.
 */
#include "gate.h"

#include <sys/mman.h>

#define BUCKETS 65536

#define TELLS_ALL (TELLS_IN | TELLS_OUT)
#define TELLS_END (EPOLLERR | EPOLLHUP)
#define HELD (1u << 24)			/* in told: not even its end */

static struct reg {
	uint32_t next;			/* of the same socket, or free */
	uint32_t also;			/* in the same bucket */
	uint32_t conn;			/* in the pool */
	uint16_t set;
	bool spent;			/* EPOLLONESHOT: it has told */
	bool missed;			/* an edge has been kept back */
	int fd;
	uint32_t events;
	uint32_t told;			/* what the kernel knows of them */
	uint64_t data;
} *regs;				/* from 1 */
static uint32_t regs_n, regs_used, regs_free;
static uint32_t *buckets;

bool watch_start(void)
{
	regs_n = fd_pool_n() + 4096;
	regs = zeros(regs_n * sizeof *regs);
	buckets = zeros(BUCKETS * sizeof *buckets);
	return regs && buckets;
}

/* ---- registrations -------------------------------------------------------------- */

static uint32_t *bucket(uint16_t set, uint64_t data)
{
	uint64_t h = (data ^ (uint64_t)set << 48) * 0x9e3779b97f4a7c15;

	return &buckets[h >> 48];
}

static void hash_in(uint32_t i)
{
	uint32_t *head = bucket(regs[i].set, regs[i].data);

	regs[i].also = *head;
	*head = i;
}

static void hash_out(uint32_t i)
{
	uint32_t *at = bucket(regs[i].set, regs[i].data);

	while (*at && *at != i)
		at = &regs[*at].also;
	*at = regs[i].also;
}

static uint32_t reg_find(const struct conn *conn, const struct set *s, int fd)
{
	uint32_t i = conn->regs;

	while (i && (regs[i].set != set_number(s) || regs[i].fd != fd))
		i = regs[i].next;
	return i;
}

static uint32_t reg_new(struct conn *conn, const struct set *s, int fd)
{
	uint32_t i = regs_free;

	if (i)
		regs_free = regs[i].next;
	else if (regs_used + 1 < regs_n)
		i = ++regs_used;
	else
		return 0;
	regs[i] = (struct reg){ .next = conn->regs, .conn = conn - fd_pool,
				.set = set_number(s), .fd = fd };
	conn->regs = i;
	return i;
}

static void reg_free(uint32_t i)
{
	uint32_t *at = &fd_pool[regs[i].conn].regs;

	hash_out(i);
	while (*at && *at != i)
		at = &regs[*at].next;
	*at = regs[i].next;
	regs[i] = (struct reg){ .next = regs_free };
	regs_free = i;
}

void watch_drop(struct conn *conn)
{
	while (conn->regs)
		reg_free(conn->regs);
}

bool watch_here(const struct conn *conn, const struct set *s)
{
	uint32_t i = conn->regs;

	while (i && regs[i].set != set_number(s))
		i = regs[i].next;
	return i;
}

void watch_clear(const struct set *s)
{
	for (uint32_t i = 1; s->socks && i <= regs_used; i++)
		if (regs[i].fd && regs[i].set == set_number(s))
			reg_free(i);
}

int watch_fd(const struct conn *conn)
{
	return conn->regs ? regs[conn->regs].fd : NO_FD;
}

/* ---- what the kernel is told ---------------------------------------------------- */

static uint32_t shut(const struct conn *conn)
{
	uint8_t gated = conn->gated;

	return gated & UNSEEN ? TELLS_ALL :
	       (gated & WAY_BIT(IN) && !conn->deaf ? TELLS_IN : 0) |
	       (gated & WAY_BIT(OUT) ? TELLS_OUT : 0);
}

/*
 * What the kernel is to know.  An edge can be kept back as it comes
 * (passes), so that those for the other direction stay what they are; the end
 * of a connection is told all the same, once: EPOLLET.
 */
static uint32_t shown(const struct reg *r, uint32_t closed)
{
	uint32_t left = r->events & ~(closed | EPOLLEXCLUSIVE);

	if (closed == TELLS_ALL)
		return HELD | EPOLLET;
	if (!(r->events & closed) ||
	    (r->events & EPOLLET && left & TELLS_ALL))
		return r->events;
	return left & TELLS_ALL ? left : (left & ~EPOLLONESHOT) | EPOLLET;
}

static void tell(struct reg *r, bool again)
{
	uint32_t closed = shut(&fd_pool[r->conn]), told = shown(r, closed);
	struct epoll_event ev = { .events = told & ~HELD,
				  .data.u64 = r->data };
	int ep = set_at(r->set)->fd, err = errno;

	again |= r->missed && !(r->events & closed);
	if (r->spent || (told == r->told && !again))
		return;
	r->told = told;
	r->missed = false;
	/* exclusive ones cannot be modified */
	if (r->events & EPOLLEXCLUSIVE) {
		real.epoll_ctl(ep, EPOLL_CTL_DEL, r->fd, NULL);
		real.epoll_ctl(ep, EPOLL_CTL_ADD, r->fd, &ev);
	} else {
		real.epoll_ctl(ep, EPOLL_CTL_MOD, r->fd, &ev);
	}
	errno = err;
}

void watch_mask(struct conn *conn)
{
	for (uint32_t i = conn->regs; i; i = regs[i].next) {
		struct set *s = set_at(regs[i].set);
		tell(&regs[i], false);
		for (int w = IN; w <= OUT; w++) {
			int64_t until = atomic_load(&conn->gate[w].until);
			if (until)
				set_arm(s, until);
		}
	}
}

void watch_missed(struct conn *conn)
{
	for (uint32_t i = conn->regs; i; i = regs[i].next)
		regs[i].missed = true;
}

void watch_rearm(const struct conn *conn)
{
	uint64_t mask;

	if (!conn->regs || !own_may(OWN_SIGMASK))
		return;
	mask = gate_lock();
	for (uint32_t i = conn->regs; i; i = regs[i].next)
		if (regs[i].events & EPOLLET)
			tell(&regs[i], true);
	gate_unlock(mask);
}

/* Another number of the same socket. */
static int other_than(int fd)
{
	int top = atomic_load(&fd_top);

	for (int other = 0; other < top; other++)
		if (other != fd && fd_slot(other) == fd_slot(fd))
			return other;
	return -1;
}

void watch_leave(int fd, struct conn *conn)
{
	uint64_t mask;
	int other;

	if (!conn->regs || atomic_load(&conn->refs) < 2)
		return;
	/*
	 * The kernel watches on, and nobody could tell it anything any more
	 * by that number: by another one, then.
	 */
	mask = gate_lock();
	other = other_than(fd);
	for (uint32_t i = conn->regs; i && other >= 0; i = regs[i].next) {
		struct reg *r = &regs[i];
		int ep = set_at(r->set)->fd;
		struct epoll_event ev = { .events = r->told & ~HELD,
					  .data.u64 = r->data };
		if (r->fd == fd &&
		    !real.epoll_ctl(ep, EPOLL_CTL_ADD, other, &ev)) {
			real.epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
			r->fd = other;
		}
	}
	gate_unlock(mask);
}

/* ---- sets that are ready themselves -------------------------------------------------- */

/* Under the lock: whether a rule keeps back what is ready in a set. */
static bool settles(const struct set *s)
{
	bool closed = false;

	for (uint32_t i = 1; i <= regs_used; i++) {
		struct reg *r = &regs[i];
		struct conn *conn = &fd_pool[r->conn];
		if (!r->fd || r->set != set_number(s) || r->spent)
			continue;
		for (int w = IN; w <= OUT; w++) {
			uint32_t bits = r->events & ~shut(conn) &
					(w == IN ? TELLS_IN : TELLS_OUT);
			closed |= bits && ready_now(r->fd, bits) & bits &&
				  !late_tells(conn, r->fd, w);
		}
	}
	return closed;
}

bool watch_settles(int ep)
{
	struct set *s = set_of(ep);
	uint64_t mask;
	bool closed;

	if (!s || !config.latent)
		return false;
	mask = gate_lock();
	closed = settles(s);
	gate_unlock(mask);
	return closed;
}

/* ---- epoll_ctl -------------------------------------------------------------------- */

static void remember(struct conn *conn, struct set *s, int op, int fd,
		     const struct epoll_event *ev)
{
	uint32_t i = reg_find(conn, s, fd);

	if (op == EPOLL_CTL_DEL) {
		if (i)
			reg_free(i);
		return;
	}
	if (i)
		hash_out(i);
	else
		i = reg_new(conn, s, fd);
	if (!i)
		return;
	regs[i].events = regs[i].told = ev->events;
	regs[i].data = ev->data.u64;
	regs[i].spent = regs[i].missed = false;
	s->once |= ev->events & EPOLLONESHOT;
	hash_in(i);
	watch_mask(conn);
}

/* The same, if the kernel agrees; its answer. */
static int ctl(struct conn *conn, struct set *s, int ep, int op, int fd,
	       struct epoll_event *ev)
{
	uint64_t mask = gate_lock();
	uint32_t i = reg_find(conn, s, fd);
	int r = -1, err = EINVAL;

	/* one that is exclusive cannot be changed, even while it is not */
	if (op != EPOLL_CTL_MOD || !i || !(regs[i].events & EPOLLEXCLUSIVE)) {
		r = real.epoll_ctl(ep, op, fd, ev);
		err = errno;
	}
	s->fd = ep;
	if (!r)
		remember(conn, s, op, fd, ev);
	gate_unlock(mask);
	errno = err;
	return r;
}

int watch_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	struct conn *conn = slot_conn(fd_slot(fd));
	struct set *s = set_of(ep);
	bool plain = !regs || !conn || (op != EPOLL_CTL_DEL &&
					!readable_near(ev, sizeof *ev));
	int r;

	if (s && !plain) {
		r = ctl(conn, s, ep, op, fd, ev);
	} else {
		r = real.epoll_ctl(ep, op, fd, ev);
		/* an inherited set is known by what it does */
		if (!r && !s && conn && fd_slot(ep) == SLOT_UNMET) {
			set_new(ep);
			s = set_of(ep);
			if (s && !plain)
				ctl(conn, s, ep, EPOLL_CTL_MOD, fd, ev);
		}
	}
	if (!r && s && set_of(fd) && config.latent)
		set_nest(s, op, fd, ev);
	/* a set in a set */
	if (!r && s && (conn || set_has_sockets(fd)))
		atomic_store_explicit(&s->socks, true, memory_order_relaxed);
	return r;
}

/* ---- what epoll_wait has found ---------------------------------------------------- */

/* Whose event it is: usually nobody else has the same data. */
static struct reg *whose(const struct set *s, const struct epoll_event *ev)
{
	struct reg *first = NULL;
	int n = 0;

	for (uint32_t i = *bucket(set_number(s), ev->data.u64); i; i = regs[i].also)
		if (regs[i].set == set_number(s) && regs[i].data == ev->data.u64 &&
		    n++ == 0)
			first = &regs[i];
	for (uint32_t i = *bucket(set_number(s), ev->data.u64); n > 1 && i;
	     i = regs[i].also)
		if (regs[i].set == set_number(s) && regs[i].data == ev->data.u64 &&
		    !(shut(&fd_pool[regs[i].conn]) & ev->events) &&
		    ready_now(regs[i].fd, ev->events) & ev->events)
			return &regs[i];
	return first;
}

static bool nested_settles(const struct set *s, uint64_t data)
{
	const struct set *inner = config.latent ? set_nested(s, data) : NULL;

	return inner && settles(inner);
}

/* Whether the program is to see it, and how much of it. */
static bool passes(const struct set *s, struct epoll_event *ev)
{
	struct reg *r = whose(s, ev);
	struct conn *conn = r ? &fd_pool[r->conn] : NULL;
	uint32_t bits = ev->events;

	if (!conn)
		return !nested_settles(s, ev->data.u64);
	if (bits & EPOLLERR && conn->gated) {
		/* the kernel says all of it once it may */
		if (!(conn->gated & CONNECTING))
			gate_open(conn, r->fd, BOTH);
		return false;
	}
	if (!(bits & EPOLLERR)) {
		if (bits & TELLS_IN && !(conn->gated & WAY_BIT(IN)))
			late_tells(conn, r->fd, IN);
		if (bits & TELLS_OUT && !(conn->gated & WAY_BIT(OUT)))
			late_tells(conn, r->fd, OUT);
	}
	if (bits & EPOLLHUP && conn->gated) {
		gate_hide(conn);
		return false;
	}
	r->missed |= bits & shut(conn);
	bits &= ~shut(conn);
	if (!bits)
		return false;
	ev->events = bits | ready_ended(conn, bits, r->events);
	r->spent = r->events & EPOLLONESHOT;
	return true;
}

/*
 * Nothing about it can have to do with a gate.  Looked at without the lock:
 * what is not found, or not at once, is looked at again with it.
 */
static bool calm(const struct set *s, const struct epoll_event *ev)
{
	uint32_t i = *bucket(set_number(s), ev->data.u64);
	struct conn *conn;

	for (int steps = 0; i && steps < 64; steps++, i = regs[i].also) {
		if (regs[i].set != set_number(s) ||
		    regs[i].data != ev->data.u64)
			continue;
		conn = &fd_pool[regs[i].conn];
		return !conn->gated && !(ev->events & TELLS_END) &&
		       !(regs[i].events & EPOLLONESHOT) &&
		       !fault_may_be(conn, FAMILY_SEND) &&
		       !fault_may_be(conn, conn->role == ROLE_LISTENER
					   ? FAMILY_ACCEPT : FAMILY_RECV);
	}
	return false;
}

static bool all_calm(const struct set *s, const struct epoll_event *ev, int n)
{
	int i = 0;

	while (i < n && calm(s, &ev[i]))
		i++;
	return i == n;
}

int watch_sift(int ep, struct epoll_event *ev, int n)
{
	struct set *s = set_of(ep);
	bool end = false;
	uint64_t mask;
	int kept = 0;

	for (int i = 0; i < n; i++)
		end |= ev[i].events & TELLS_END;
	if (n <= 0 || !s || !regs ||
	    !(gate_closed_n || config.latent || s->once || s->timer ||
	      (end && config.ends)) || all_calm(s, ev, n))
		return n;
	mask = gate_lock();
	s->fd = ep;
	for (int i = 0; i < n; i++) {
		if (!set_timer_event(s, &ev[i]) && passes(s, &ev[i]))
			ev[kept++] = ev[i];
	}
	gate_unlock(mask);
	return kept;
}
