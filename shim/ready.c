/* SPDX-License-Identifier: MIT */
/*
 * Readiness: what epoll sets were told of a socket, waking those who wait for
 * an edge that a fault owes them, and the few bits of poll and epoll that the
 * kernel does not know of.
 */
#include "shim.h"

#include <netinet/tcp.h>

/*
 * Bits that were not asked for do not come.  A waiter may be awake between
 * the disconnect and the shutdown; and of AF_UNIX the kernel does not know
 * that there is an error.
 */
uint32_t ready_ended(const struct conn *conn, uint32_t bits, uint32_t asked)
{
	uint32_t all = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLRDHUP;

	if (!(bits & POLLHUP) || conn->fate != FATE_RESET)
		return 0;
	return (asked & all) | (sever_owes(conn) ? POLLERR : 0);
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
		watch_rearm(conn);
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
