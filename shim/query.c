/* SPDX-License-Identifier: MIT */
/*
 * What a call is to the rules: a struct query, made from the socket and from
 * what the program hands in; and whether they can be asked about it at all.
 */
#include "fault.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio_ext.h>

/* ---- what is asked --------------------------------------------------------- */

static int ask_waits(struct query *q)
{
	const struct call *c = q->ctx;
	struct timeval t = { 0 };
	socklen_t len = sizeof t;
	int flags = real.fcntl(c->rec->fd, F_GETFL);
	bool in = q->family == FAMILY_RECV || q->family == FAMILY_ACCEPT;

	if (flags < 0 || flags & O_NONBLOCK || c->io.flags & MSG_DONTWAIT)
		return 0;
	real.getsockopt(c->rec->fd, SOL_SOCKET, in ? SO_RCVTIMEO : SO_SNDTIMEO,
			&t, &len);
	return t.tv_sec || t.tv_usec ? WAITS_BOUNDED : 1;
}

static bool ask_from(struct query *q, const struct rule *r)
{
	const struct call *c = q->ctx;

	return origin_is(c->rec, r);
}

static const uint8_t protos[PROTOS] = {
	[PROTO_UNKNOWN] = IS_OTHER, [PROTO_TCP] = IS_TCP,
	[PROTO_UDP] = IS_UDP, [PROTO_UNIX] = IS_STREAM,
	[PROTO_UNIX_DGRAM] = IS_DGRAM, [PROTO_UNIX_SEQPACKET] = IS_SEQ,
	[PROTO_NETLINK] = IS_OTHER, [PROTO_RAW] = IS_OTHER,
	[PROTO_OTHER] = IS_OTHER,
};

static const int8_t roles[ROLES] = {
	[ROLE_NONE] = -1, [ROLE_CLIENT] = ROLE_IS_CLIENT,
	[ROLE_SERVER] = ROLE_IS_SERVER, [ROLE_LISTENER] = ROLE_IS_LISTENER,
	[ROLE_PAIR] = ROLE_IS_PAIR,
};

static void ask_conn(struct query *q, const struct conn *conn)
{
	struct conn_view v = conn_view(conn);
	uint64_t shown = atomic_load(&conn->shown);

	q->conn = v.ordinal;
	q->protos = protos[v.proto];
	q->role = roles[v.role];
	q->addr[0] = v.local;
	q->alen[0] = v.local_len;
	q->addr[1] = v.peer;
	q->alen[1] = v.peer_len;
	if (q->family == FAMILY_RECV || q->family == FAMILY_SEND)
		q->offset = atomic_load(&conn->bytes[q->family ==
						     FAMILY_SEND]);
	if (q->family == FAMILY_RECV && shown > q->offset)
		q->shown = shown - q->offset;
}

/* A number in place of a name, or no name at all: libc knows by itself. */
static bool is_literal(const struct call *c, const char *name)
{
	struct in_addr a;

	switch (c->rec->call) {
	case CALL_getaddrinfo:
		return !name || strchr(name, ':') || inet_aton(name, &a);
	case CALL_gethostbyname:
	case CALL_gethostbyname_r:
	case CALL_gethostbyname2:
	case CALL_gethostbyname2_r:
		return name && (strchr(name, ':') || inet_aton(name, &a));
	case CALL_getnameinfo:
		return rec_arg(c->rec, 6) & NI_NUMERICHOST;
	default:
		return false;
	}
}

/* What the program hands in says more than the socket: a destination. */
static void ask_args(struct query *q, struct call *c)
{
	const struct rec *r = c->rec;
	const struct msghdr *m = c->io.shape == SHAPE_MSG ? *c->io.msg : NULL;
	bool out = q->family == FAMILY_CONNECT || q->family == FAMILY_SEND;
	size_t size;

	if (q->family == FAMILY_SOCKET)
		q->protos = protos[proto_of(rec_arg(r, 0), rec_arg(r, 1) & 15,
					    rec_arg(r, 2))];
	if (q->family == FAMILY_RESOLVE && c->io.name &&
	    readable(c->io.name, 1))
		q->name = c->io.name;
	if (q->family == FAMILY_RESOLVE)
		q->literal = is_literal(c, q->name);
	if (!c->io.stream && io_size(&c->io, &size)) {
		q->sized = !(c->io.flags & (MSG_OOB | MSG_ERRQUEUE));
		q->size = q->sized ? size : 0;
		if (out && m && m->msg_name && m->msg_namelen &&
		    readable(m->msg_name, m->msg_namelen)) {
			q->addr[1] = m->msg_name;
			q->alen[1] = m->msg_namelen;
		}
	}
	/* messages that carry descriptors are taken for whole ones */
	q->whole = c->io.flags & MSG_PEEK || (m && m->msg_controllen &&
					      !(q->protos & IS_TCP)) ||
		   (c->io.flags & MSG_WAITALL && q->family == FAMILY_RECV);
	if (out && !m && c->io.shape != SHAPE_MMSG && c->addr && c->alen &&
	    readable(c->addr, c->alen)) {
		q->addr[1] = c->addr;
		q->alen[1] = c->alen;
	}
}

struct query query_of(struct call *c, const struct conn *conn)
{
	int family = c->family;
	struct query q = {
		.call = c->rec->call, .family = family, .fd = c->rec->fd,
		.role = -1, .waits = -1, .ask = ask_waits,
		.from = ask_from,
		.exe = { rules_exe[0], rules_exe[1] }, .seed = rules_seed, .path = tree_hash(),
		.elapsed = config.timed ? ticks_ns(ticks() - config.t0) : 0,
		.count = rules_count, .ctx = c, .nth = c->nth,
	};

	if (conn) {
		ask_conn(&q, conn);
		q.aside = query_aside(c, conn);
	}
	ask_args(&q, c);
	return q;
}

/*
 * What a socket is rarely changes (conn_addr), and often no rule can mean it:
 * found out once for each family.
 */
bool fault_may(struct conn *conn, int family)
{
	struct query q = { .family = family, .role = -1 };
	bool may = !conn;

	if (conn)
		ask_conn(&q, conn);
	for (int i = 0; i < rules.n && !may; i++)
		may = rule_may(&rules.rule[i], &q);
	if (!conn)
		return true;
	if (!may)
		atomic_fetch_or(&conn->quiet, 1 << family);
	atomic_fetch_or(&conn->asked, 1 << family);
	return may;
}

/* ---- whether anything can be done at all ------------------------------------ */

/*
 * stdio asks the kernel only when its buffer has nothing left, or no room:
 * the other calls are none that the kernel could answer.
 */
bool query_reaches_kernel(const struct call *c)
{
	FILE *f = c->io.stream;

	if (!f)
		return true;
#ifdef __GLIBC__
	if (c->family == FAMILY_RECV)
		return f->_IO_read_ptr >= f->_IO_read_end;
	return c->rec->call == CALL_fclose ||
	       f->_flags & 2 /* _IO_UNBUFFERED, libio.h */ ||
	       (c->rec->call == CALL_fflush && __fpending(f));
#else
	return false;
#endif
}

/* Calls that are faults already, or whose result nobody sees. */
bool query_futile(int id)
{
	switch (id) {
	case CALL_pread:
	case CALL_pwrite:
	case CALL_preadv:
	case CALL_pwritev:
	case CALL_vmsplice:
	case CALL_tee:
	case CALL_aio_read:
	case CALL_aio_write:
	case CALL_lio_listio:
	case CALL___fdelt_chk:
	case CALL_freeaddrinfo:
	case CALL_getaddrinfo_a:
	case CALL_close_range:
	case CALL_closefrom:
	case CALL_fcloseall:
	case CALL_freopen:
		return true;
	}
	return false;
}

/*
 * The kernel would take its buffers, and look at the socket: sock_read_iter
 * has nothing to do for no bytes.
 */
bool query_sound(const struct call *c)
{
	size_t size;

	if (c->io.stream || c->io.shape == SHAPE_NONE)
		return true;
	if (c->io.shape == SHAPE_MMSG && !*c->io.n)
		return false;
	return io_size(&c->io, &size) &&
	       (size || !(c->rec->call == CALL_read ||
			  c->rec->call == CALL_readv ||
			  c->rec->call == CALL_preadv2));
}

/*
 * A listener that listens again has a new backlog, and that is all
 * (inet_listen); of TCP and UDP, MSG_ERRQUEUE looks nowhere else
 * (inet_recv_error).
 */
bool query_aside(const struct call *c, const struct conn *conn)
{
	if (c->family == FAMILY_LISTEN)
		return conn->role == ROLE_LISTENER;
	return c->family == FAMILY_RECV && c->io.flags & MSG_ERRQUEUE &&
	       (conn->proto == PROTO_TCP || conn->proto == PROTO_UDP);
}

/* connect on a socket that is connected, or about to be, starts nothing. */
bool query_starts(const struct call *c, const struct conn *conn)
{
	struct tcp_info info = { .tcpi_state = TCP_CLOSE };
	socklen_t len = sizeof info;

	if (!conn || conn->proto != PROTO_TCP)
		return true;
	if (sever_owes(conn) || !c->addr ||
	    !readable(c->addr, sizeof(sa_family_t)) ||
	    ((const struct sockaddr *)c->addr)->sa_family == AF_UNSPEC)
		return false;
	return !real.getsockopt(c->rec->fd, IPPROTO_TCP, TCP_INFO, &info,
				&len) && info.tcpi_state == TCP_CLOSE;
}

/* Whether the number still is the socket it was. */
static bool same_socket(int fd, const struct conn *conn)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;

	return !real.getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) &&
	       cookie && cookie == conn->cookie;
}

bool call_still(struct call *c)
{
	struct conn *conn = slot_conn(c->slot);
	int fd = c->rec->fd;

	if (!conn || same_socket(fd, conn))
		return true;
	fd_set_slot(fd, SLOT_UNMET);
	c->slot = fd_look_again(fd);
	conn = slot_conn(c->slot);
	c->rec->conn = conn ? conn->ordinal : 0;
	return false;
}

struct conn *call_verified(struct call *c)
{
	call_still(c);
	return slot_conn(c->slot);
}

/* Families whose calls need no socket to fail; the others' need a real one. */
bool query_has_subject(const struct call *c, const struct conn *conn)
{
	int fd = c->rec->fd;

	switch (c->family) {
	case FAMILY_SOCKET:
	case FAMILY_RESOLVE:
		return true;
	case FAMILY_POLL:
		return conn || fd == NO_FD || set_has_sockets(fd);
	default:
		return conn != NULL;
	}
}

