/* SPDX-License-Identifier: MIT */
/*
 * The path of every call, in three steps: begin (what is it about, a slot in
 * the trace), end (how long, what came of it, what the socket is now), done
 * (the sinks see it).  Between begin and end libc's own function runs, and it
 * may not come back: cancellation, siglongjmp and kill leave the record open,
 * which is what it then says.
 */
#include "shim.h"

#include <sys/syscall.h>

static _Atomic bool any_socket;		/* this process has had one */

/* Whether a function that also works on files has a socket in hand. */
static bool concerns(int fd, uint32_t slot)
{
	if (fd_is_socket(slot))
		return true;
	/* using a descriptor that never was, or is no more, is news */
	return slot == SLOT_WAS ||
	       (fd < 0 && fd != NO_FD && atomic_load(&any_socket));
}

static void touch(struct call *c)
{
	c->touch = true;
	c->close_err = 0;
	c->raise = 0;
	c->forced = false;
	c->shortened = 0;
	c->cut = false;
	c->rate = 0;
	c->nap = c->end = 0;
	memset(&c->io, 0, IO_ZERO);
}

void call_family(struct call *c, int family)
{
	c->family = family;
	if (config.rules)
		touch(c);
}

bool call_begin(struct call *c, int id, int fd, bool any, const void *caller)
{
	uint32_t slot = SLOT_OTHER;
	struct conn *conn;

	if (!entered() || !config.active || !call_set_has(&config.needed, id))
		return false;
	if (unlikely(me.caller)) {
		caller = me.caller;
		me.caller = NULL;
	}
	if (fd != NO_FD) {
		slot = fd_slot(fd);
		if (slot <= SLOT_WAS)
			slot = any ? fd_look(fd) : fd_look_again(fd);
		if (any && !concerns(fd, slot))
			return false;
	}
	conn = slot_conn(slot);
	c->slot = slot;
	c->family = calls[id].family;
	c->made = SLOT_OTHER;
	c->changed = false;
	c->addr = NULL;
	c->alen = 0;
	c->wanted = config.seen && call_set_has(&config.wanted, id);
	c->touch = config.rules && (fault_asks(id, conn) ||
				    (conn && (conn->fate || conn->due ||
					      conn->gated || conn->queued ||
					      call_set_has(
						&config.waiting, id))));
	if (!c->wanted && !c->touch && !call_set_has(&config.learned, id))
		return false;
	c->answered = c->end_made = false;
	if (unlikely(c->touch))
		touch(c);
	c->rec = NULL;
	if (config.trace && c->wanted)
		c->rec = trace_slot(1);
	if (!c->rec) {
		c->rec = &c->own;
		memset(c->own.args, 0, sizeof c->own.args);
	}
	*c->rec = (struct rec){
		.slots = 1, .call = id, .fd = fd,
		.conn = conn ? conn->ordinal : 0,
		.caller = (uintptr_t)caller,
		.start = c->wanted ? ticks() : 0,
	};
	atomic_signal_fence(memory_order_release);
	c->rec->state = REC_OPEN;
	return true;
}

bool call_read(const struct call *c)
{
	switch (c->rec->err) {
	case EFAULT:
	case EBADF:
	case ENOTSOCK:
	case EINVAL:
	case ENOSYS:
	case ENOMEM:
		return false;
	}
	return true;
}

void call_made(struct call *c, int fd, enum proto proto, enum role role)
{
	struct conn *conn = fd_born(fd, proto, role);

	c->made = fd_slot(fd);
	if (!conn)
		return;
	atomic_store_explicit(&any_socket, true, memory_order_relaxed);
	c->changed = true;
}

static void made_socket(struct call *c, int fd)
{
	struct rec *r = c->rec;
	int type = rec_arg(r, 1) & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);

	call_made(c, fd, proto_of(rec_arg(r, 0), type, rec_arg(r, 2)),
		  ROLE_NONE);
}

static void made_accepted(struct call *c, int fd)
{
	struct conn *listener = slot_conn(c->slot), *conn;

	call_made(c, fd, listener ? listener->proto : PROTO_UNKNOWN,
		  ROLE_SERVER);
	conn = slot_conn(c->made);
	if (!conn)
		return;
	conn->listener = c->rec->conn;
	conn_ask(conn, fd);
}

/* connect: the peer is known even if the handshake is still going on. */
static void learn_connect(struct call *c, struct conn *conn)
{
	int err = c->rec->err;

	if (!call_read(c) || err == EISCONN || err == EALREADY)
		return;
	if (conn->role == ROLE_NONE)
		conn->role = ROLE_CLIENT;
	conn->peer_len = 0;
	conn_ask(conn, c->rec->fd);
	if (!conn->peer_len && c->alen >= sizeof(sa_family_t) &&
	    *(const sa_family_t *)c->addr != AF_UNSPEC)
		conn_addr(conn, 1, c->addr, c->alen);
	c->changed = true;
}

/* CMSG_NXTHDR without glibc's function behind it, which musl has not. */
static struct cmsghdr *control_next(const struct msghdr *m, struct cmsghdr *h)
{
	size_t at = (char *)h - (char *)m->msg_control;
	size_t len = CMSG_ALIGN(h->cmsg_len);

	return h->cmsg_len < sizeof *h ||
	       at + len + sizeof *h > m->msg_controllen
	       ? NULL : (struct cmsghdr *)((char *)h + len);
}

/* Descriptors that came in a message are strangers until they are used. */
static void learn_arrived(const struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h;
	     h = control_next(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= h->cmsg_len;
		     at += sizeof(int)) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + at, sizeof fd);
			fd_unmet(fd);
		}
	}
}

/* An unbound socket gets its local address with the first thing it sends. */
static void learn_sent(struct call *c, struct conn *conn)
{
	if (conn->local_len || conn->proto != PROTO_UDP)
		return;
	conn_ask(conn, c->rec->fd);
	c->changed = true;
}

/* What the call has made of its descriptor. */
static void learn(struct call *c)
{
	const struct rec *r = c->rec;
	struct conn *conn = slot_conn(c->slot);

	switch (r->call) {
	case CALL_socket:
		if (r->ret >= 0)
			made_socket(c, r->ret);
		break;
	case CALL_accept:
	case CALL_accept4:
		if (r->ret >= 0)
			made_accepted(c, r->ret);
		break;
	case CALL_connect:
		if (conn)
			learn_connect(c, conn);
		break;
	case CALL_listen:
		if (conn && !r->ret)
			conn->role = ROLE_LISTENER;
		/* fall through */
	case CALL_bind:
	case CALL_bindresvport:
		if (conn && !r->ret) {
			conn_ask(conn, r->fd);
			c->changed = true;
		}
		if (r->call == CALL_listen && !r->ret && config.trace)
			trace_listens(conn);
		break;
	case CALL_recvmsg:
		if (r->ret >= 0)
			learn_arrived(c->addr);
		break;
	case CALL_recvmmsg:
		for (int i = 0; i < r->ret; i++)
			learn_arrived(&((struct mmsghdr *)c->addr)[i].msg_hdr);
		break;
	case CALL_sendto:
	case CALL_sendmsg:
	case CALL_sendmmsg:
		if (conn && r->ret >= 0)
			learn_sent(c, conn);
		break;
	}
}

void call_need(struct call_set *set)
{
	static const uint8_t always[] = {
		FAMILY_SOCKET, FAMILY_BIND, FAMILY_LISTEN, FAMILY_CONNECT,
		FAMILY_ACCEPT, FAMILY_DESC, FAMILY_POLL,
	};
	static const uint8_t too[] = {
		CALL_recvmsg, CALL_recvmmsg, CALL_sendto, CALL_sendmsg,
		CALL_sendmmsg,
	};

	for (size_t i = 0; i < sizeof always; i++)
		call_set_family(set, always[i]);
	for (size_t i = 0; i < sizeof too; i++)
		call_set_add(set, too[i]);
}

void call_end(struct call *c, long ret, bool bad, int err)
{
	struct rec *r = c->rec;
	struct conn *made;

	if (c->wanted)
		r->took = ticks() - r->start;
	r->ret = ret;
	r->err = bad ? err : 0;
	learn(c);
	if (unlikely(c->end_made))
		fault_made(c);
	made = slot_conn(c->made);
	if (made)
		memcpy(r->args + REC_NEWCONN, &made->ordinal,
		       sizeof made->ordinal);
	if (!r->rule && ((config.only == ONLY_OK && bad) ||
			 (config.only == ONLY_FAILED && !bad)))
		c->wanted = false;
}

void call_done(struct call *c, struct keep *k)
{
	struct rec *r = c->rec;
	struct conn *made = slot_conn(c->made);

	/* calls that are recorded want to say what the socket is, always */
	if (c->changed && config.trace)
		trace_conn(made ? made : slot_conn(c->slot), r->start);
	if (r != &c->own) {
		if (c->family == FAMILY_SEND && unlikely(trace_sigpipe))
			trace_send(c);
		if (k && keep_len(k) && c->wanted)
			trace_more(r, k->start, keep_len(k));
		atomic_signal_fence(memory_order_release);
		r->state = c->wanted ? REC_DONE : REC_EMPTY;
	} else if (config.trace && c->wanted) {
		trace_lost();
	}
	if (config.log && c->wanted && (r->rule || !config.log_injected))
		log_call(c, k);
}

bool readable(const void *p, size_t len)
{
	uintptr_t at = (uintptr_t)p, end = at + len;
	int err = errno;
	bool ok = p && end >= at && own_may(OWN_SIGMASK);

	/*
	 * rt_sigprocmask copies the set before it finds that -1 is no way to
	 * change one: EFAULT or EINVAL, and nothing has happened.
	 */
	while (ok && at < end) {
		uintptr_t page = (at | 4095) + 1;
		uintptr_t probe = end - at >= 8 ? at : end - 8;
		real.syscall(SYS_rt_sigprocmask, -1, probe, NULL, 8);
		ok = errno != EFAULT;
		at = page;
	}
	if (ok && len > 8) {
		real.syscall(SYS_rt_sigprocmask, -1, end - 8, NULL, 8);
		ok = errno != EFAULT;
	}
	errno = err;
	return ok;
}
