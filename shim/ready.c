/* SPDX-License-Identifier: MIT */
/*
 * Readiness: what epoll sets were told of a socket, waking those who wait for
 * an edge that a fault owes them, and the few bits of poll and epoll that the
 * kernel does not know of.
 */
#include "shim.h"

#include <netinet/tcp.h>

short ready_now(int fd, short bits)
{
	struct pollfd p = { fd, bits, 0 };

	/* a signal that is pending makes it say EINTR for nothing */
	while (real.poll(&p, 1, 0) < 0 && errno == EINTR)
		;
	return p.revents;
}

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
 * other sockets receive there is none.  TCP looks for room without its lock
 * there, and what is queued grows and shrinks meanwhile (tcp_fragment): it may
 * find none, and then some before anybody has left word of waiting for it.
 */
void ready_rearm(const struct conn *conn, int fd, bool in)
{
	bool tcp = conn->proto == PROTO_TCP;
	int level = in || !tcp ? SOL_SOCKET : IPPROTO_TCP, v;
	int name = in ? SO_RCVLOWAT : tcp ? TCP_NOTSENT_LOWAT : SO_SNDBUF;
	socklen_t len = sizeof v;

	if ((!in || tcp) && !real.getsockopt(fd, level, name, &v, &len)) {
		if (name == SO_SNDBUF)
			v /= 2;		/* the kernel doubles it */
		real.setsockopt(fd, level, name, &v, sizeof v);
	}
	if (!in && tcp)
		ready_now(fd, POLLOUT);
	/* asked by epoll itself, it tells now or leaves word (tcp_poll) */
	if (in != tcp)
		watch_rearm(conn);
}
