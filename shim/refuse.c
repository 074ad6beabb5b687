/* SPDX-License-Identifier: MIT */
/*
 * A connect that is refused: by the kernel, at a port of our own, so that the
 * socket is in the state it would be in, and the destination hears nothing.
 */
#include "shim.h"

/* The address of ours that faces the destination, with any port. */
static bool facing(const struct sockaddr *to, socklen_t len,
		   struct sockaddr_storage *own)
{
	int fd = real.socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t own_len = sizeof *own;
	struct sockaddr_in6 *in6 = (void *)own;
	bool ok = fd >= 0 && !real.connect(fd, to, len) &&
		  !real.getsockname(fd, (void *)own, &own_len);

	if (fd >= 0)
		real.close(fd);
	if (!ok && (to->sa_family == AF_INET || to->sa_family == AF_INET6)) {
		memset(own, 0, sizeof *own);
		own->ss_family = to->sa_family;
		if (to->sa_family == AF_INET)
			((struct sockaddr_in *)own)->sin_addr.s_addr =
				htonl(INADDR_LOOPBACK);
		else
			in6->sin6_addr = in6addr_loopback;
		ok = true;
	}
	in6->sin6_port = 0;		/* IPv4's is in the same place */
	return ok;
}

/*
 * A port of our own that nobody listens on, for as long as fd is open: bound,
 * and nothing more.
 */
static int closed_port(struct sockaddr_storage *own)
{
	socklen_t len = own->ss_family == AF_INET
			? sizeof(struct sockaddr_in)
			: sizeof(struct sockaddr_in6);
	int fd = real.socket(own->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && !real.bind(fd, (void *)own, len) &&
	    !real.getsockname(fd, (void *)own, &len))
		return fd;
	if (fd >= 0)
		real.close(fd);
	return -1;
}

/* connect in a way that does not wait, whatever the descriptor's way is. */
static void start(struct call *c, const void *addr, socklen_t len)
{
	int fd = c->rec->fd, flags = real.fcntl(fd, F_GETFL);

	if (!(flags & O_NONBLOCK))
		real.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	c->answer = real.connect(fd, addr, len);
	c->answer_err = c->answer ? errno : 0;
	if (!(flags & O_NONBLOCK))
		real.fcntl(fd, F_SETFL, flags);
}

void connect_start(struct call *c)
{
	start(c, c->addr, c->alen);
}

static bool refuse(struct call *c, struct conn *conn, int label, bool wait)
{
	struct sockaddr_storage own;
	int port;
	socklen_t len;

	if (!readable(c->addr, c->alen) || c->alen < sizeof(struct sockaddr_in)
	    || !facing(c->addr, c->alen, &own))
		return false;
	port = closed_port(&own);
	if (port < 0)
		return false;
	len = own.ss_family == AF_INET ? sizeof(struct sockaddr_in)
				       : sizeof(struct sockaddr_in6);
	if (wait) {
		c->answer = real.connect(c->rec->fd, (void *)&own, len);
		c->answer_err = c->answer ? errno : 0;
	} else {
		start(c, &own, len);
	}
	real.close(port);
	conn->label = label;
	if (c->answer_err == EINPROGRESS) {
		atomic_store(&conn->fate, FATE_REFUSED);
		sever_owe(conn, true);
	} else if (c->answer_err == ECONNREFUSED) {
		c->answer_err = label;
	}
	return true;
}

bool sever_refuse(struct call *c, struct conn *conn, int label)
{
	return refuse(c, conn, label, true);
}

bool refuse_start(struct call *c, struct conn *conn, int label)
{
	return refuse(c, conn, label, false);
}
