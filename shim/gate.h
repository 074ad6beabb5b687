/* SPDX-License-Identifier: MIT */
/*
 * Faults in time.  A gate is one direction of one socket, closed until a
 * moment: what arrives, or the room to send, is not there yet for any call.
 *
 *	gate.c		closing and opening
 *	late.c		what rules say, and what data calls meet
 *	pause.c		threads that wait in a call
 *	handshake.c	connections that take their time
 *	watch.c		epoll: who watches what, kept from what is closed
 *	sets.c		epoll: the sets and their timers
 *	wait.c		poll, select, epoll_wait: waiting past what is closed
 */
#ifndef SHIM_GATE_H
#define SHIM_GATE_H

#include "fault.h"

#include <sys/epoll.h>

enum way { IN, OUT };
#define WAY_BIT(way) (1 << (way))
#define BOTH (WAY_BIT(IN) | WAY_BIT(OUT))

/* What poll and epoll tell of a direction. */
#define TELLS_IN (EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLRDHUP | EPOLLPRI)
#define TELLS_OUT (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

#define SECOND INT64_C(1000000000)
#define TICK 1000000			/* ns: shorter waits are not worth it */
#define SLICE (10 * TICK)		/* waits look up so often */

/* More bits of conn->gated: nothing is told of it, whatever is asked for. */
#define CONNECTING 4
#define HIDDEN 8			/* the kernel tells of its end too early */
#define UNSEEN (CONNECTING | HIDDEN)

/* ---- gate.c ------------------------------------------------------------- */

static inline int64_t gate_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}
static inline int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
/* ns from now, or FOREVER. */
int64_t gate_in(int64_t ns);

/* Around all that changes gates or registrations; signals wait. */
uint64_t gate_lock(void);
void gate_unlock(uint64_t mask);
/* Sockets with a closed gate. */
extern _Atomic uint32_t gate_closed_n;
/* The n-th socket with one, under the lock. */
struct conn *gate_closed(uint32_t n);

/* Close it until then, and whoever waits for it waits on. */
void gate_close(struct conn *conn, uint8_t ways, int64_t until);
/* Whether it is closed now; opens it when its time has come. */
bool gate_shut(struct conn *conn, int fd, enum way way);
/* Under the lock: the same as gate_close; those whose time has come open. */
void gate_shuts(struct conn *conn, uint8_t ways, int64_t until);
void gate_expire(void);
/* Under the lock: open now; nothing is told of it until it opens (HIDDEN). */
void gate_open(struct conn *conn, int fd, int ways);
void gate_hide(struct conn *conn);

/* ---- late.c ------------------------------------------------------------- */

/* What a rule says, carried out: true if the call is answered. */
bool late_act(struct call *c, struct conn *conn, const struct verdict *v,
	      struct query *q);
/* Nothing for as long as a bounded call waits; false: a reset came first. */
bool late_nothing(struct call *c, struct conn *conn);
/* A call meets what is closed: true if it is answered. */
bool late_before(struct call *c, struct conn *conn);
/* Whether the rules were asked about it when its readiness was kept back. */
bool late_asked(struct call *c, struct conn *conn);
/* It is performed: the next one waits anew. */
void late_served(struct call *c);
/* The call has moved n bytes. */
void late_moved(struct call *c, struct conn *conn, size_t n);
/* Under the lock: readiness would be told; false: the rules delay it. */
bool late_tells(struct conn *conn, int fd, enum way way);

/* ---- pause.c ------------------------------------------------------------ */

/* When the socket's own time-out ends, counted from the first question. */
int64_t pause_end(struct call *c, enum way way, int waits);
/* The calling thread waits: 0, EINTR, or EAGAIN when its own time is over. */
int pause_wait(struct call *c, struct conn *conn, enum way way, int waits);
/* connect waits for room in a listener's queue: the same results. */
int pause_queue(struct call *c, struct conn *conn, int waits);
/* No handler runs until they are free again: for what waits several times. */
void signals_hold(sigset_t *was);
void signals_free(const sigset_t *was);
/* Who waits for it looks again. */
void pause_wake(const struct conn *conn);
/* This is a new process. */
void pause_child(void);
/* The kernel has its end: nothing arrives later than that. */
bool gate_over(const struct conn *conn, int fd);
/* A timer of ours, or -1; set it to a moment: false, it is none any more. */
int timer_new(int flags);
bool timer_set(int fd, int64_t until);

/* ---- handshake.c ---------------------------------------------------------- */

/* inprogress=, stall= of connect. */
bool handshake_act(struct call *c, struct conn *conn, const struct verdict *v,
		   struct query *q);
/* A call while it is going on. */
bool handshake_before(struct call *c, struct conn *conn);
/* connect, while an earlier one found the listener's queue full. */
bool handshake_queued(struct call *c, struct conn *conn);
/* TCP_INFO says no more than has arrived. */
void handshake_after(struct call *c, const struct conn *conn);

/* ---- wait.c ----------------------------------------------------------------- */

struct epoll_ask {
	int ep, n;
	struct epoll_event *events;
	int64_t ns;			/* below 0: for ever */
	bool exact;			/* not in milliseconds */
	const sigset_t *mask;
};

/* In place of poll, select, epoll_wait; ns below 0: for ever. */
int wait_poll(struct pollfd *fds, nfds_t n, int64_t ns, const sigset_t *mask);
int wait_select(int n, fd_set *in, fd_set *out, fd_set *bad, int64_t ns,
		const sigset_t *mask, int64_t *left);
int wait_epoll(const struct epoll_ask *ask);

/* ---- sets.c --------------------------------------------------------------------- */

struct set {
	_Atomic uint32_t refs;		/* descriptors; 0: free */
	_Atomic bool socks;		/* has watched a socket */
	bool once;			/* has seen EPOLLONESHOT */
	int fd;				/* one of them */
	int timer;			/* 0: none */
	int64_t armed;			/* what it is set to */
};

/* NULL: ep is none. */
struct set *set_of(int ep);
int set_number(const struct set *s);
struct set *set_at(int number);
/* Under the lock: wake it then, unless that happens sooner. */
void set_arm(struct set *s, int64_t until);
/* Under the lock: an event is its timer's, which is set anew. */
bool set_timer_event(struct set *s, const struct epoll_event *ev);
/* A set watches another one; which one it is whose event has that data. */
void set_nest(const struct set *s, int op, int fd,
	      const struct epoll_event *ev);
struct set *set_nested(const struct set *s, uint64_t data);
/* When to look again, where there is no timer to tell; FOREVER: never. */
int64_t set_until(int ep);

/* ---- watch.c ---------------------------------------------------------------- */

/* Under the lock: whether the set watches it; forget what the set watches. */
bool watch_here(const struct conn *conn, const struct set *s);
void watch_clear(const struct set *s);

/* Under the lock: its gates have changed. */
void watch_mask(struct conn *conn);
/* Under the lock: an edge has been kept back, whoever waits for one. */
void watch_missed(struct conn *conn);
/* Under the lock: a descriptor by which it is watched, or NO_FD. */
int watch_fd(const struct conn *conn);
/* What epoll_wait has found without what the program may not know yet; n. */
int watch_sift(int ep, struct epoll_event *ev, int n);
/* A set is ready; true: a rule keeps back something in it, so look again. */
bool watch_settles(int ep);

#endif
