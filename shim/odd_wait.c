/* SPDX-License-Identifier: MIT */
/*
 * Calls that wait for readiness.  They are recorded when a socket is among
 * what they wait for.  The sets are read before the call, so the kernel is
 * asked first whether they can be.
 */
#include "gate.h"
#include "wrap.h"

/* ---- poll ------------------------------------------------------------- */

/* Whether a socket is among them; *only: the descriptor, if there is one. */
static bool poll_sockets(const struct pollfd *fds, nfds_t n, int *only)
{
	*only = NO_FD;
	if (!entered() || !config.active || !n || n > fd_slots_n ||
	    !readable(fds, n * sizeof *fds))
		return false;
	if (n == 1)
		*only = fds->fd;
	for (nfds_t i = 0; i < n; i++)
		if (fd_is_socket(fd_look(fds[i].fd)) ||
		    (config.latent && set_has_sockets(fds[i].fd)))
			return true;
	return false;
}

static void polled(struct pollfd *fds, nfds_t n, int r)
{
	for (nfds_t i = 0; config.ends && r > 0 && i < n; i++) {
		struct conn *conn = slot_conn(fd_slot(fds[i].fd));
		if (conn)
			fds[i].revents |= ready_ended(conn, fds[i].revents,
						      fds[i].events);
	}
}

/* ns of a time-out; below 0: for ever.  One that is no time: the kernel says so. */
static int64_t ns_of(const struct timespec *t)
{
	return !t ? -1 : t->tv_sec > INT64_MAX / 2000000000 ? INT64_MAX / 2
		  : t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static int64_t ns_of_ms(int ms)
{
	return ms < 0 ? -1 : ms * INT64_C(1000000);
}

static bool sound(const struct timespec *t)
{
	return !t || (readable(t, sizeof *t) && t->tv_sec >= 0 &&
		      t->tv_nsec >= 0 && t->tv_nsec < 1000000000);
}

static int do_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return config.gates ? wait_poll(fds, n, ns_of_ms(timeout), NULL)
			    : real.poll(fds, n, timeout);
}

static int do_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *t,
		    const sigset_t *mask)
{
	return config.gates && sound(t) ? wait_poll(fds, n, ns_of(t), mask)
					: real.ppoll(fds, n, t, mask);
}

/* The wait is a call that a rule has touched. */
static inline void held(struct call *c)
{
	if (unlikely(me.held))
		fault_held(c);
}

static inline int in_poll(const void *caller, struct pollfd *fds, nfds_t n,
			  int timeout)
{
	struct call c;
	uint8_t *at;
	int r, only;

	if (!poll_sockets(fds, n, &only) ||
	    !call_begin(&c, CALL_poll, only, false, caller))
		return real.poll(fds, n, timeout);
	at = c.rec->args;
	STORE_INT(timeout)
	(void)at;
	r = REAL(int, do_poll(fds, n, timeout));
	polled(fds, n, r);
	held(&c);
	RETURNED(r, BAD_READY, 1, keep_pollfds(&k, 0, fds, n););
	return r;
}

static inline int in_ppoll(const void *caller, struct pollfd *fds, nfds_t n,
			   const struct timespec *timeout,
			   const sigset_t *mask)
{
	struct call c;
	int r, only;

	if (!poll_sockets(fds, n, &only) ||
	    !call_begin(&c, CALL_ppoll, only, false, caller))
		return real.ppoll(fds, n, timeout, mask);
	r = REAL(int, do_ppoll(fds, n, timeout, mask));
	polled(fds, n, r);
	held(&c);
	RETURNED(r, BAD_READY, 1,
		 keep_pollfds(&k, 0, fds, n);
		 if (!timeout)
			 keep_null(&k, 2);
		 else if (call_read(&c))
			 keep_ns(&k, 2, timeout->tv_sec, timeout->tv_nsec););
	return r;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return in_poll(CALLER, fds, n, timeout);
}

int __poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return in_poll(CALLER, fds, n, timeout);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
	  const sigset_t *mask)
{
	return in_ppoll(CALLER, fds, n, timeout, mask);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	if (size / sizeof *fds < n)
		overflow();
	return in_poll(CALLER, fds, n, timeout);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
		const sigset_t *mask, size_t size)
{
	if (size / sizeof *fds < n)
		overflow();
	return in_ppoll(CALLER, fds, n, timeout, mask);
}

/* ---- select ----------------------------------------------------------- */

static bool set_has_socket(const fd_set *set, int n)
{
	const unsigned long *words = (const unsigned long *)set;
	int bits = 8 * sizeof *words;

	if (!set || !readable(set, (n + bits - 1) / bits * sizeof *words))
		return false;
	for (int fd = 0; fd < n; fd++)
		if (words[fd / bits] >> fd % bits & 1 &&
		    (fd_is_socket(fd_look(fd)) ||
		     (config.latent && set_has_sockets(fd))))
			return true;
	return false;
}

static bool select_sockets(int n, const fd_set *r, const fd_set *w,
			   const fd_set *e)
{
	return entered() && config.active && n > 0 &&
	       (unsigned)n <= fd_slots_n && (set_has_socket(r, n) ||
				 set_has_socket(w, n) || set_has_socket(e, n));
}

static void keep_sets(struct keep *k, const struct call *c, int n,
		      const fd_set *r, const fd_set *w, const fd_set *e)
{
	if (c->rec->ret < 0)
		return;
	keep_fdset(k, 1, r, n);
	keep_fdset(k, 2, w, n);
	keep_fdset(k, 3, e, n);
}

static bool sets_readable(int n, const fd_set *r, const fd_set *w,
			  const fd_set *e)
{
	size_t size = (n + 63) / 64 * 8;

	return (!r || readable(r, size)) && (!w || readable(w, size)) &&
	       (!e || readable(e, size));
}

static int do_pselect(int n, fd_set *r, fd_set *w, fd_set *e,
		      const struct timespec *t, const sigset_t *mask)
{
	int64_t left;

	return config.gates && sound(t) && sets_readable(n, r, w, e)
	       ? wait_select(n, r, w, e, ns_of(t), mask, &left)
	       : real.pselect(n, r, w, e, t, mask);
}

/* select also says how much of the time is left. */
static int do_select(int n, fd_set *r, fd_set *w, fd_set *e,
		     struct timeval *t)
{
	int64_t ns, left;
	int got;

	if (!config.gates || !sets_readable(n, r, w, e) ||
	    (t && (!readable(t, sizeof *t) ||
				    t->tv_sec < 0 || t->tv_usec < 0 ||
				    t->tv_sec > INT32_MAX)))
		return real.select(n, r, w, e, t);
	ns = t ? t->tv_sec * INT64_C(1000000000) + t->tv_usec * 1000 : -1;
	got = wait_select(n, r, w, e, ns, NULL, &left);
	left = left > 0 ? left / 1000 : 0;
	if (t)
		*t = (struct timeval){ left / 1000000, left % 1000000 };
	return got;
}

static inline int in_select(const void *caller, int n, fd_set *r, fd_set *w,
			    fd_set *e, struct timeval *timeout)
{
	struct timeval given = { 0 };
	struct call c;
	uint8_t *at;
	int got;

	if (!select_sockets(n, r, w, e) ||
	    !call_begin(&c, CALL_select, NO_FD, false, caller))
		return real.select(n, r, w, e, timeout);
	at = c.rec->args;
	STORE_INT(n)
	(void)at;
	/* the kernel leaves in it what was not waited */
	if (timeout && readable(timeout, sizeof *timeout))
		given = *timeout;
	got = REAL(int, do_select(n, r, w, e, timeout));
	held(&c);
	RETURNED(got, BAD_READY, 1,
		 keep_sets(&k, &c, n, r, w, e);
		 if (!timeout)
			 keep_null(&k, 4);
		 else
			 keep_ns(&k, 4, given.tv_sec, given.tv_usec * 1000L););
	return got;
}

int select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	return in_select(CALLER, n, r, w, e, timeout);
}

int __select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *timeout)
{
	return in_select(CALLER, n, r, w, e, timeout);
}

int pselect(int n, fd_set *r, fd_set *w, fd_set *e,
	    const struct timespec *timeout, const sigset_t *mask)
{
	struct call c;
	uint8_t *at;
	int got;

	if (!select_sockets(n, r, w, e) ||
	    !call_begin(&c, CALL_pselect, NO_FD, false, CALLER))
		return real.pselect(n, r, w, e, timeout, mask);
	at = c.rec->args;
	STORE_INT(n)
	(void)at;
	got = REAL(int, do_pselect(n, r, w, e, timeout, mask));
	held(&c);
	RETURNED(got, BAD_READY, 1,
		 keep_sets(&k, &c, n, r, w, e);
		 if (!timeout)
			 keep_null(&k, 4);
		 else if (call_read(&c))
			 keep_ns(&k, 4, timeout->tv_sec, timeout->tv_nsec););
	return got;
}

/* FD_SET of a fortified program: recorded only when it is about to abort. */
long __fdelt_chk(long fd)
{
	struct call c;
	uint8_t *at;

	if (entered() && unlikely(fd < 0 || fd >= FD_SETSIZE) &&
	    call_begin(&c, CALL___fdelt_chk, NO_FD, false, CALLER)) {
		at = c.rec->args;
		STORE_INT(fd)
		(void)at;
		ENDED(-1, false, 0, );
	}
	return real.__fdelt_chk(fd);
}

/* ---- epoll ------------------------------------------------------------ */

static inline int in_epoll_create(const void *caller, int id, int arg)
{
	struct call c;
	uint8_t *at;
	int r;

	if (!call_begin(&c, id, NO_FD, false, caller))
		return id == CALL_epoll_create ? real.epoll_create(arg)
					       : real.epoll_create1(arg);
	at = c.rec->args;
	STORE_INT(arg)
	(void)at;
	r = REAL(int, id == CALL_epoll_create ? real.epoll_create(arg)
					      : real.epoll_create1(arg));
	if (r >= 0)
		set_new(r);
	RETURNED(r, BAD_NEWFD, 0, );
	return r;
}

int epoll_create(int size)
{
	return in_epoll_create(CALLER, CALL_epoll_create, size);
}

int epoll_create1(int flags)
{
	return in_epoll_create(CALLER, CALL_epoll_create1, flags);
}

int epoll_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	struct call c;
	uint8_t *at;
	int r;

	if (fd_plain(fd) || !call_begin(&c, CALL_epoll_ctl, fd, true, CALLER))
		return watch_ctl(ep, op, fd, ev);
	at = c.rec->args;
	STORE_INT(ep) STORE_EPOLLOP(op)
	(void)at;
	r = REAL(int, watch_ctl(ep, op, fd, ev));
	/*
	 * The event is not read by EPOLL_CTL_DEL, and may be anything there;
	 * the others read it before anything else can go wrong.
	 */
	RETURNED(r, BAD_ZERO, 1,
		 if (op == EPOLL_CTL_DEL)
			 keep_null(&k, 3);
		 else if (err_ != EFAULT || !ret)
			 keep_events(&k, 3, ev, 1););
	return r;
}

static int do_epoll(const struct epoll_ask *ask, const struct timespec *t)
{
	int ms = ask->ns < 0 ? -1 : ask->ns / 1000000, r;

	if (config.gates && ask->n > 0)
		return wait_epoll(ask);
	r = ask->exact ? real.epoll_pwait2(ask->ep, ask->events, ask->n, t,
					   ask->mask) :
	    ask->mask ? real.epoll_pwait(ask->ep, ask->events, ask->n, ms,
					 ask->mask)
		      : real.epoll_wait(ask->ep, ask->events, ask->n, ms);
	return r > 0 && config.ends ? watch_sift(ask->ep, ask->events, r) : r;
}

/* Whether to record a wait: it is about sockets, or it is a mistake. */
static bool epoll_begin(struct call *c, int id, int ep, const void *caller)
{
	if (!entered() || (ep >= 0 && !set_has_sockets(ep)))
		return false;
	if (!call_begin(c, id, NO_FD, false, caller))
		return false;
	c->rec->fd = ep;
	return true;
}

int epoll_wait(int ep, struct epoll_event *evs, int n, int timeout)
{
	struct call c;
	uint8_t *at;
	int r;

	if (!epoll_begin(&c, CALL_epoll_wait, ep, CALLER))
		return real.epoll_wait(ep, evs, n, timeout);
	at = c.rec->args;
	STORE_INT(ep) STORE_INT(n) STORE_INT(timeout)
	(void)at;
	r = REAL(int, do_epoll(&(struct epoll_ask){
			.ep = ep, .n = n, .events = evs, .ns = ns_of_ms(timeout)
			}, NULL));
	held(&c);
	RETURNED(r, BAD_READY, 1,
		 if (ret > 0)
			 keep_events(&k, 1, evs, ret););
	return r;
}

int epoll_pwait(int ep, struct epoll_event *evs, int n, int timeout,
		const sigset_t *mask)
{
	struct call c;
	uint8_t *at;
	int r;

	if (!epoll_begin(&c, CALL_epoll_pwait, ep, CALLER))
		return real.epoll_pwait(ep, evs, n, timeout, mask);
	at = c.rec->args;
	STORE_INT(ep) STORE_INT(n) STORE_INT(timeout)
	(void)at;
	r = REAL(int, do_epoll(&(struct epoll_ask){
			.ep = ep, .n = n, .events = evs,
			.ns = ns_of_ms(timeout), .mask = mask }, NULL));
	held(&c);
	RETURNED(r, BAD_READY, 1,
		 if (ret > 0)
			 keep_events(&k, 1, evs, ret););
	return r;
}

int epoll_pwait2(int ep, struct epoll_event *evs, int n,
		 const struct timespec *timeout, const sigset_t *mask)
{
	struct call c;
	uint8_t *at;
	int r;

	if (!epoll_begin(&c, CALL_epoll_pwait2, ep, CALLER))
		return real.epoll_pwait2(ep, evs, n, timeout, mask);
	at = c.rec->args;
	STORE_INT(ep) STORE_INT(n)
	(void)at;
	r = !sound(timeout) ? real.epoll_pwait2(ep, evs, n, timeout, mask) :
	    REAL(int, do_epoll(&(struct epoll_ask){
			.ep = ep, .n = n, .events = evs, .mask = mask,
			.ns = ns_of(timeout), .exact = true }, timeout));
	held(&c);
	RETURNED(r, BAD_READY, 1,
		 if (ret > 0)
			 keep_events(&k, 1, evs, ret);
		 if (!timeout)
			 keep_null(&k, 3);
		 else if (call_read(&c))
			 keep_ns(&k, 3, timeout->tv_sec, timeout->tv_nsec););
	return r;
}
