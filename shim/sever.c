/* SPDX-License-Identifier: MIT */
/*
 * Connections that end: the kernel does it, for both sides and for every call
 * that follows.  What it cannot be made to do is put right afterwards: the
 * error's number, the data that had arrived before, the local address.
 *
 * TCP: connect(AF_UNSPEC) sends a RST, and shutdown brings the socket into
 * the state that a RST received leaves.  AF_UNIX: shutdown; the error that a
 * peer who closes with unread data leaves is handed out by us, once.
 */
#include "fault.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/*
 * What a reset connection still owes: its error, and what had arrived before.
 * Shared by all that have it after a fork.
 */
struct stash {
	_Atomic uint8_t owed;		/* the error is not collected yet */
	_Atomic size_t at;
	size_t len, size;
	uint8_t data[];
};

/* ---- what had arrived --------------------------------------------------- */

static size_t unread(int fd)
{
	int n = 0;

	return real.ioctl(fd, FIONREAD, &n) || n < 0 ? 0 : n;
}

static struct stash *stash_take(int fd, size_t n)
{
	size_t size = sizeof(struct stash) + n;
	struct stash *s = mmap(NULL, size, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	s->size = size;
	while (s->len < n) {
		ssize_t got = real.recv(fd, s->data + s->len, n - s->len,
					MSG_DONTWAIT);
		if (got <= 0)
			break;
		s->len += got;
	}
	return s;
}

void sever_forget(struct conn *c)
{
	struct stash *s = c->stash;

	atomic_store(&c->fate, FATE_NONE);
	atomic_store(&c->owed, 0);
	atomic_store(&c->ending, false);
	atomic_store(&c->firing, 0);
	c->soft = 0;
	c->stash = NULL;
	c->left = 0;
	if (s)
		munmap(s, s->size);
}

static _Atomic uint8_t *owed_at(const struct conn *conn)
{
	struct conn *c = (struct conn *)conn;

	return c->stash ? &c->stash->owed : &c->owed;
}

bool sever_owes(const struct conn *conn)
{
	return atomic_load(owed_at(conn));
}

void sever_owe(struct conn *conn, bool owed)
{
	atomic_store(owed_at(conn), owed);
}

static size_t stash_left(const struct conn *c)
{
	return c->stash ? c->stash->len - atomic_load(&c->stash->at) : 0;
}

/*
 * libc reads for stdio, and not from the stash: back into the FILE with it,
 * once that has nothing of its own left.
 */
static bool stash_push(FILE *f, struct stash *s)
{
#ifdef __GLIBC__
	size_t at = atomic_load(&s->at);

	if (f->_IO_read_ptr < f->_IO_read_end)
		return false;
	for (size_t i = s->len; i > at; i--)
		if (ungetc(s->data[i - 1], f) == EOF)
			break;
	atomic_store(&s->at, s->len);
#endif
	(void)f;
	(void)s;
	return false;
}

/* Out of the stash instead of the socket; false: there is nothing. */
static bool stash_serve(struct call *c, struct conn *conn)
{
	struct stash *s = conn->stash;
	size_t at = s ? atomic_load(&s->at) : 0, left = stash_left(conn);
	ssize_t n;

	/* where the arguments are bad, the kernel says so */
	if (!left || !query_sound(c) || query_aside(c, conn))
		return false;
	if (c->io.stream)
		return stash_push(c->io.stream, s);
	n = io_fill(&c->io, s->data + at, left);
	c->answer = n;
	c->answer_err = errno;
	if (n > 0 && !(c->io.flags & MSG_PEEK))
		atomic_store(&s->at, at + n);
	if (n > 0 && c->io.shape == SHAPE_MMSG)
		c->answer = 1;
	return true;
}

/* ---- the end ------------------------------------------------------------ */

/*
 * What was sent goes out before the RST would overtake it: a moment's wait
 * until the buffer is on its way, longer where a call may wait anyway.
 */
static void flush(int fd, bool waits)
{
	struct timespec nap = { 0, 1000000 };
	int n = 0, off = 0;

	real.setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof off);

	for (int i = waits ? 2000 : 50; i; i--) {
		if (real.ioctl(fd, SIOCOUTQNSD, &n) || n <= 0)
			return;
		real.syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0L, &nap,
			     NULL);
	}
}

static void disconnect(struct conn *conn, int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	/* a RST leaves both as they are, but tcp_disconnect does not */
	conn->unacked = conn->unsent = 0;
	real.ioctl(fd, SIOCOUTQ, &conn->unacked);
	real.ioctl(fd, SIOCOUTQNSD, &conn->unsent);
	if (real.connect(fd, &none, sizeof none) && errno == EBUSY) {
		/* some kernels (6.1 to 6.6) refuse while a thread waits */
		real.shutdown(fd, SHUT_RDWR);
		for (int i = 0; i < 1000 && real.connect(fd, &none,
		     sizeof none) && errno == EBUSY; i++)
			sched_yield();
	}
	real.shutdown(fd, SHUT_RDWR);
}

/* The kernel's own pending error, thrown away. */
static void collect(int fd)
{
	int err;
	socklen_t len = sizeof err;

	real.getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

/* AF_UNIX does not know MSG_TRUNC as a way to throw away. */
static void drain(int fd)
{
	char room[1024];

	while (real.recv(fd, room, sizeof room, MSG_DONTWAIT) > 0 ||
	       unread(fd))
		;
}

void sever_reset(struct conn *conn, int fd, int label, int how)
{
	bool tcp = conn->proto == PROTO_TCP, keep = how & SEVER_KEEP;
	size_t n = keep && tcp ? unread(fd) : 0;

	if (atomic_exchange(&conn->ending, true))
		return;
	gate_end(conn, fd, 3);
	if (!conn->local_len || !conn->peer_len)
		conn_ask(conn, fd);
	conn->stash = stash_take(fd, n);
	if (!keep && tcp)
		flush(fd, how & SEVER_WAITS);
	/* before the end: a thread that it wakes must know */
	conn->label = label;
	conn->soft = label == EHOSTUNREACH || label == ENETUNREACH ? label : 0;
	atomic_store(&conn->firing, how & SEVER_MINE ? me.tid : 0);
	sever_owe(conn, label != EPIPE);
	atomic_store(&conn->fate, FATE_RESET);
	if (!tcp)
		real.shutdown(fd, SHUT_RDWR);
	else
		disconnect(conn, fd);
	if (!tcp && !keep)
		drain(fd);
	if (tcp && label == EPIPE)
		collect(fd);
}

void sever_eof(struct conn *conn, int fd, bool keep)
{
	if (conn->fate || atomic_load(&conn->ending))
		return;
	gate_end(conn, fd, 3);
	conn->left = keep ? unread(fd) : 0;
	atomic_store(&conn->fate, FATE_EOF);
	real.shutdown(fd, SHUT_RD);
	if (!keep && conn->proto != PROTO_TCP)
		drain(fd);
}

/* ---- calls on a connection that has ended -------------------------------- */

/* Whatever has come since the end, unseen. */
static void discard(int fd)
{
	while (real.recv(fd, NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC) > 0)
		;
}

static bool local_name(struct call *c, struct conn *conn)
{
	struct conn_view v = conn_view(conn);

	if (conn->fate != FATE_RESET || conn->proto != PROTO_TCP ||
	    !v.local_len || !c->io.name_out)
		return false;
	/* the kernel writes its answer; only the address is put right */
	c->answer = real.getsockname(c->rec->fd, c->io.name_out,
				     c->io.name_len);
	c->answer_err = errno;
	if (!c->answer)
		memcpy(c->io.name_out, v.local, v.local_len < c->room
						? v.local_len : c->room);
	return true;
}

/* After a RST received the socket is still one that was connected. */
static bool connected_still(struct call *c, const struct conn *conn)
{
	const struct sockaddr *to = c->addr;

	if (conn->fate != FATE_RESET || conn->proto != PROTO_TCP ||
	    !readable(to, sizeof *to) || to->sa_family == AF_UNSPEC)
		return false;
	c->answer = -1;
	c->answer_err = EISCONN;
	return true;
}

/* Both directions have ended: but for the peer's FIN the socket is closed. */
static bool both_ended(int fd, const struct conn *conn)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	return conn->fate == FATE_EOF && conn->proto == PROTO_TCP &&
	       !real.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_state == TCP_FIN_WAIT2;
}

/* The pending error is taken by whoever asks first. */
static bool take_owed(struct conn *conn)
{
	int32_t first = atomic_load(&conn->firing);

	/* who met the rule meets the error, as long as it is in that call */
	return (!first || first == me.tid) &&
	       atomic_exchange(owed_at(conn), 0);
}

/* Where the kernel looks for an error before it looks for data. */
static bool error_first(struct call *c, struct conn *conn)
{
	bool early = conn->proto == PROTO_UNIX_SEQPACKET ||
		     c->io.shape == SHAPE_MMSG;

	if (!early || c->io.flags & MSG_ERRQUEUE || !take_owed(conn))
		return false;
	if (conn->proto == PROTO_TCP)
		collect(c->rec->fd);
	return answer(c, -1, conn->label);
}

/* How much is in its buffers. */
static bool tell_queue(struct call *c, const struct conn *conn)
{
	bool reset = conn->fate == FATE_RESET && conn->proto == PROTO_TCP;
	int *n = c->io.opt;

	switch (n ? rec_arg(c->rec, 1) : 0) {
	case FIONREAD:
		if (stash_left(conn)) {
			*n = stash_left(conn);
			return answer(c, 0, 0);
		}
		return false;
	case SIOCOUTQ:
	case SIOCOUTQNSD:
		if (!reset)
			return false;
		*n = rec_arg(c->rec, 1) == SIOCOUTQ ? conn->unacked
						    : conn->unsent;
		return answer(c, 0, 0);
	default:
		return false;
	}
}

bool sever_before(struct call *c, struct conn *conn)
{
	int family = c->family;

	if (c->rec->call == CALL_getsockname)
		return local_name(c, conn);
	if ((c->rec->call == CALL_shutdown ||
	     c->rec->call == CALL_getpeername) && both_ended(c->rec->fd, conn))
		return answer(c, -1, ENOTCONN);
	if (c->rec->call == CALL_ioctl)
		return tell_queue(c, conn);
	if (family == FAMILY_CONNECT)
		return connected_still(c, conn);
	if (family != FAMILY_RECV)
		return false;
	if (conn->fate == FATE_RESET)
		return error_first(c, conn) || stash_serve(c, conn);
	if (conn->fate != FATE_EOF || conn->proto != PROTO_TCP)
		return false;
	if (!conn->left)
		discard(c->rec->fd);
	else
		io_shorten(&c->io, conn->left);
	return false;
}

bool sever_meet(struct call *c, struct conn *conn)
{
	bool moves = c->family == FAMILY_RECV || c->family == FAMILY_SEND;

	if (conn->fate != FATE_RESET || !moves || c->io.stream)
		return false;
	/* the record must be there before SIGPIPE may end the program */
	if (conn->label == EPIPE)
		return c->family == FAMILY_SEND &&
		       answer_error(c, conn, EPIPE);
	if (conn->proto != PROTO_TCP || stash_left(conn) || !take_owed(conn))
		return false;
	collect(c->rec->fd);
	return answer(c, -1, conn->label);
}

static void after_option(struct call *c, struct conn *conn, long ret)
{
	int val = 0;

	if (ret || !c->io.opt || rec_arg(c->rec, 1) != SOL_SOCKET ||
	    rec_arg(c->rec, 2) != SO_ERROR)
		return;
	memcpy(&val, c->io.opt, c->io.opt_len);
	if ((val || conn->proto != PROTO_TCP) && take_owed(conn)) {
		val = conn->label;
	} else if (!val && conn->fate == FATE_RESET) {
		/* sk_err_soft, which a timeout leaves behind */
		val = conn->soft;
		conn->soft = 0;
	}
	memcpy(c->io.opt, &val, c->io.opt_len);
}

/* It asked for something: 0 bytes mean the end. */
static bool wants(const struct call *c)
{
	size_t size;

	return !c->io.shape || (io_size(&c->io, &size) && size) ||
	       /* these look for an error all the same */
	       ((c->rec->call == CALL_recv || c->rec->call == CALL_recvfrom ||
		 c->rec->call == CALL_recvmsg) && !unread(c->rec->fd));
}

static bool falls_short(const struct call *c, long ret)
{
	size_t size;

	return io_size(&c->io, &size) && (size_t)ret < size;
}

static bool failed(const struct call *c, long ret)
{
	if (c->io.stream)
		return ferror_unlocked(c->io.stream);
	return ret == -1 && (calls[c->rec->call].result == RESULT_COUNT ||
			     c->rec->call == CALL_recvmmsg);
}

/* The end of the file in place of an error. */
static void stream_ends(FILE *f)
{
#ifdef __GLIBC__
	f->_flags = (f->_flags & ~0x20) | 0x10;	/* libio.h */
#endif
	(void)f;
}

static void after_recv(struct call *c, struct conn *conn, long *ret, int *err)
{
	bool count = calls[c->rec->call].result == RESULT_COUNT;

	if (conn->fate == FATE_EOF && conn->proto != PROTO_TCP)
		return;			/* the kernel's queue is right */
	if (conn->fate == FATE_EOF) {
		size_t n = *ret > 0 && !(c->io.flags & MSG_PEEK)
			   ? io_moved(&c->io, *ret) : 0;
		if (!conn->left && count && *ret > 0)
			*ret = 0;	/* it came after the end */
		conn->left -= n < conn->left ? n : conn->left;
		return;
	}
	if (*ret > 0 && c->io.flags & MSG_WAITALL && falls_short(c, *ret) &&
	    conn->proto != PROTO_TCP) {
		take_owed(conn);	/* it has met the error, and kept silent */
	} else if ((*err == EPIPE || *err == ECONNRESET) && failed(c, *ret)) {
		/* it was waiting when the end came, or is the next to ask */
		if (take_owed(conn)) {
			collect(c->rec->fd);
			*err = conn->label;
		} else if (c->io.stream) {
			stream_ends(c->io.stream);
		} else {
			*ret = 0;
		}
	} else if (conn->proto != PROTO_TCP && conn->fate == FATE_RESET &&
		   (c->io.stream ? !!feof_unlocked(c->io.stream)
				 : !*ret && count && wants(c)) &&
		   take_owed(conn)) {
		*ret = c->io.stream ? *ret : -1;
		*err = conn->label;
		if (c->io.stream)
			answer_stream(c->io.stream, FAMILY_RECV);
	}
}

/* It waited for room; another has collected the error (sk_stream_error). */
static void late_send(struct call *c, struct conn *conn, long ret, int *err)
{
	if (ret != -1 || *err != ECONNRESET || conn->fate != FATE_RESET ||
	    conn->proto != PROTO_TCP)
		return;
	if (take_owed(conn)) {
		*err = conn->label;
		return;
	}
	*err = EPIPE;
	if (!(c->io.flags & MSG_NOSIGNAL) && !c->io.stream)
		fault_raise(SIGPIPE);
}

void sever_after(struct call *c, struct conn *conn, long *ret, int *err)
{
	switch (c->family) {
	case FAMILY_SOCKOPT:
		if (c->rec->call == CALL_getsockopt)
			after_option(c, conn, *ret);
		return;
	case FAMILY_RECV:
		after_recv(c, conn, ret, err);
		break;
	case FAMILY_CONNECT:
		if (*ret == 0 || *err == EINPROGRESS) {
			sever_forget(conn);	/* a new connection */
			atomic_store(&conn->bytes[0], 0);
			atomic_store(&conn->bytes[1], 0);
			atomic_store(&conn->shown, 0);
			return;
		}
		break;
	case FAMILY_SEND:
		late_send(c, conn, *ret, err);
		break;
	default:
		return;
	}
	if ((*err == ECONNRESET || *err == ECONNREFUSED) && *ret <= 0 &&
	    conn->proto == PROTO_TCP && take_owed(conn))
		*err = conn->label;
}
