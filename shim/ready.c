/* SPDX-License-Identifier: MIT */
/*
 * Readiness: what epoll sets were told of a socket, waking those who wait for
 * an edge that a fault owes them, and the few bits of poll and epoll that the
 * kernel does not know of.
 */
#include "shim.h"

#include <netinet/tcp.h>

/* The last ones that were reset, for ready_epoll. */
static struct conn *_Atomic ended[16];
static _Atomic uint32_t ended_n;

void ready_ended(struct conn *conn)
{
	atomic_store(&ended[atomic_fetch_add(&ended_n, 1) % 16], conn);
}

/*
 * Bits that were not asked for do not come.  A waiter may be awake between
 * the disconnect and the shutdown; and of AF_UNIX the kernel does not know
 * that there is an error.
 */
static uint32_t ready_bits(const struct conn *conn, uint32_t asked)
{
	uint32_t bits = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM |
			POLLRDHUP;

	return (asked & bits) | (sever_owes(conn) ? POLLERR : 0);
}

void ready_poll(struct pollfd *p)
{
	struct conn *conn = slot_conn(fd_slot(p->fd));

	if (p->revents & POLLHUP && conn && conn->fate == FATE_RESET)
		p->revents |= ready_bits(conn, p->events);
}

void ready_epoll(int ep, struct epoll_event *ev)
{
	for (int i = 0; ev->events & EPOLLHUP && i < 16; i++) {
		struct conn *conn = atomic_load(&ended[i]);
		if (conn && conn->fate == FATE_RESET &&
		    conn->watch.ep == ep && conn->watch.data == ev->data.u64)
			ev->events |= ready_bits(conn, conn->watch.events);
	}
}

void ready_watch(int ep, int op, int fd, const struct epoll_event *ev)
{
	struct conn *conn = slot_conn(fd_slot(fd));

	if (!conn)
		return;
	conn->watch.ep = op == EPOLL_CTL_DEL ? 0 : ep;
	if (op != EPOLL_CTL_DEL) {
		conn->watch.events = ev->events;
		conn->watch.data = ev->data.u64;
	}
}

/* The same registration again: an edge-triggered one is told what is ready. */
static void rearm_watch(const struct conn *conn, int fd)
{
	struct epoll_event ev = { .events = conn->watch.events,
				  .data.u64 = conn->watch.data };

	if (conn->watch.ep && ev.events & EPOLLET &&
	    !(ev.events & (EPOLLONESHOT | EPOLLEXCLUSIVE)))
		real.epoll_ctl(conn->watch.ep, EPOLL_CTL_MOD, fd, &ev);
}

/* ---- waking who waits for an edge ----------------------------------------- */

/*
 * A program may take a short count for "there is no more until an edge".  Set
 * to what they are, these options make the kernel tell every waiter again:
 * tcp_set_rcvlowat, TCP_NOTSENT_LOWAT, SO_SNDBUF (sk_write_space).  For what
 * other sockets receive there is none; there epoll is told.
 */
void ready_rearm(const struct conn *conn, int fd, bool in)
{
	struct pollfd full = { fd, POLLOUT, 0 };
	int v, level = SOL_SOCKET, name = in ? SO_RCVLOWAT : SO_SNDBUF;
	socklen_t len = sizeof v;

	if (in && conn->proto != PROTO_TCP) {
		rearm_watch(conn, fd);
		return;
	}
	/* asked while there is no room, the kernel will tell when there is */
	if (!in)
		real.poll(&full, 1, 0);
	if (!in && conn->proto == PROTO_TCP) {
		level = IPPROTO_TCP;
		name = TCP_NOTSENT_LOWAT;
	}
	if (real.getsockopt(fd, level, name, &v, &len))
		return;
	if (name == SO_SNDBUF)
		v /= 2;			/* the kernel doubles it */
	real.setsockopt(fd, level, name, &v, sizeof v);
}
