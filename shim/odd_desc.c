/* SPDX-License-Identifier: MIT */
/*
 * Calls that make, copy and close descriptors.  A close takes the descriptor
 * out of the table first: once the kernel has it, another thread may get the
 * same number.  Our own descriptors do not exist for the program.
 */
#include "wrap.h"

#include <linux/close_range.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/syscall.h>

#define BESIDE 64			/* numbers that one loop may be at */

static int no_such(void)
{
	errno = EBADF;
	return -1;
}

/* ---- closing ---------------------------------------------------------- */

/* Bytes nobody will read: the peer of a live connection gets a RST for them. */
static uint32_t unread(int fd)
{
	socklen_t len = sizeof(uint8_t);
	int err = errno, n = 0;
	uint8_t state = 0;	/* the first member of TCP_INFO's */

	if (!own_may(OWN_IOCTL) || !own_may(OWN_GETSOCKOPT) ||
	    real.ioctl(fd, FIONREAD, &n) || n <= 0 ||
	    real.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len) ||
	    state == TCP_CLOSE)
		n = 0;
	errno = err;
	return n;
}

/* What only we and the kernel know of a close. */
static void describe_close(struct call *c, int fd)
{
	const struct conn *conn = slot_conn(c->slot);
	struct rec_close more = {
		.children = children_made() + 1,
		.beside = me.blind && abs(me.blind - 1 - fd) <= BESIDE,
	};

	if (c->rec == &c->own)
		return;
	if (conn && conn->proto == PROTO_TCP && atomic_load(&conn->refs) == 1)
		more.unread = unread(fd);
	memcpy(c->rec->args, &more, sizeof more);
	me.blind = 0;
	me.doubt = c->rec;
}

/*
 * EBADF for a number that never was a socket.  That is how a loop that closes
 * every number gives itself away: all that is recorded of it may be one close
 * of what was a socket once, which would look like a mistake.
 */
static void blind_close(int fd)
{
	struct rec_close more;

	me.blind = fd + 1;
	if (!me.doubt || abs(me.doubt->fd - fd) > BESIDE)
		return;
	memcpy(&more, me.doubt->args, sizeof more);
	more.beside = 1;
	memcpy(me.doubt->args, &more, sizeof more);
	me.doubt = NULL;
}

static inline int in_close(const void *caller, int fd, bool cancel)
{
	uint32_t slot;
	struct call c;
	bool on;
	int r;

	if (unlikely(fd_slot(fd) == SLOT_OURS))
		return no_such();
	on = !fd_plain(fd) && call_begin(&c, CALL_close, fd, true, caller);
	slot = fd_leave(fd);
	if (on) {
		call_fault(&c);		/* whatever it says, it closes */
		describe_close(&c, fd);	/* as it is after a delay */
	}
	r = cancel ? real.close(fd) : (int)real.syscall(SYS_close, fd);
	if (on)
		RETURNED(r, BAD_ZERO, 0, );
	else if (unlikely(r < 0 && fd >= 0))
		blind_close(fd);
	conn_put(slot);
	return r;
}

int close(int fd)
{
	return in_close(CALLER, fd, true);
}

int __close(int fd)
{
	return in_close(CALLER, fd, true);
}

int __close_nocancel(int fd)
{
	return in_close(CALLER, fd, false);
}

static bool range_has_socket(unsigned first, unsigned last)
{
	unsigned top = atomic_load(&fd_top);

	for (unsigned fd = first; fd <= last && fd < top; fd++)
		if (fd_is_socket(fd_slot(fd)))
			return true;
	return false;
}

/* The first of our own descriptors from there on; ~0: there is none. */
static unsigned hidden(unsigned from)
{
	unsigned top = atomic_load(&fd_top);

	while (from < top && fd_slot(from) != SLOT_OURS)
		from++;
	return from < top ? from : ~0u;
}

/* No range may touch ours. */
static int range_around(unsigned first, unsigned last, int flags)
{
	unsigned ours;
	int r = 0;

	while (!r && (ours = hidden(first)) <= last && ours != ~0u) {
		if (ours > first)
			r = real.close_range(first, ours - 1, flags);
		first = ours + 1;
	}
	return r || first > last ? r : real.close_range(first, last, flags);
}

int close_range(unsigned first, unsigned last, int flags)
{
	struct call c;
	uint8_t *at;
	bool on = entered() && range_has_socket(first, last) &&
		  call_begin(&c, CALL_close_range, NO_FD, false, CALLER);
	int r;

	if (on) {
		at = c.rec->args;
		STORE_UINT(first) STORE_UINT(last) STORE_INT(flags)
		(void)at;
	}
	if (first <= last && !(flags & CLOSE_RANGE_CLOEXEC))
		fd_leave_range(first, last);
	r = range_around(first, last, flags);
	if (on)
		RETURNED(r, BAD_ZERO, 0, );
	return r;
}

void closefrom(int first)
{
	unsigned ours;
	int err = errno;
	struct call c;
	uint8_t *at;
	bool on = entered() &&
		  range_has_socket(first < 0 ? 0 : first, ~0u) &&
		  call_begin(&c, CALL_closefrom, NO_FD, false, CALLER);

	if (on) {
		at = c.rec->args;
		STORE_INT(first)
		(void)at;
	}
	fd_leave_range(first < 0 ? 0 : first, ~0u);
	first = first < 0 ? 0 : first;
	while ((ours = hidden(first)) != ~0u) {
		while ((unsigned)first < ours)
			real.close(first++);
		first++;
	}
	real.closefrom(first);
	errno = err;			/* EBADF is not the program's */
	if (on)
		ENDED(0, false, 0, );
}

/* ---- copying ---------------------------------------------------------- */

int dup(int fd)
{
	struct call c;
	bool on;
	int r;

	if (unlikely(fd_slot(fd) == SLOT_OURS))
		return no_such();
	on = !fd_plain(fd) && call_begin(&c, CALL_dup, fd, true, CALLER);
	r = real.dup(fd);
	if (r >= 0)
		fd_share(fd, r);
	if (on) {
		c.made = r >= 0 ? c.slot : SLOT_OTHER;
		RETURNED(r, BAD_NEWFD, 0, );
	}
	return r;
}

static inline int in_dup3(const void *caller, int id, int fd, int to,
			  int flags)
{
	struct call c;
	uint8_t *at;
	bool on;
	int r;

	if (unlikely(fd_slot(fd) == SLOT_OURS))
		return no_such();
	fd_yield(to);
	/* one that is closed by this is worth a line too */
	on = (!fd_plain(fd) || fd_is_socket(fd_slot(to))) &&
	     call_begin(&c, id, fd, !fd_is_socket(fd_slot(to)), caller);
	if (on) {
		at = c.rec->args;
		STORE_INT(to)
		if (id == CALL_dup3)
			STORE_OPENFLAGS(flags)
		(void)at;
	}
	r = id == CALL_dup3 ? real.dup3(fd, to, flags) : real.dup2(fd, to);
	if (r >= 0)
		fd_share(fd, to);
	if (on) {
		c.made = r >= 0 ? c.slot : SLOT_OTHER;
		RETURNED(r, BAD_NEWFD, 0, );
	}
	return r;
}

int dup2(int fd, int to)
{
	return in_dup3(CALLER, CALL_dup2, fd, to, 0);
}

int __dup2(int fd, int to)
{
	return in_dup3(CALLER, CALL_dup2, fd, to, 0);
}

int dup3(int fd, int to, int flags)
{
	return in_dup3(CALLER, CALL_dup3, fd, to, flags);
}

int pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	struct call c;
	uint8_t *at;
	bool on = call_begin(&c, CALL_pidfd_getfd, NO_FD, false, CALLER);
	int r;

	if (!on)
		return real.pidfd_getfd(pidfd, fd, flags);
	at = c.rec->args;
	STORE_INT(pidfd) STORE_INT(fd) STORE_INT(flags)
	(void)at;
	r = real.pidfd_getfd(pidfd, fd, flags);
	if (r >= 0) {
		fd_unmet(r);
		c.made = fd_look(r);
	}
	RETURNED(r, BAD_NEWFD, 0, );
	return r;
}

/* ---- control ---------------------------------------------------------- */

static inline int in_fcntl(const void *caller, int fd, int cmd, long arg)
{
	struct call c;
	uint8_t *at;
	bool on;
	int r;

	if (unlikely(fd_slot(fd) == SLOT_OURS))
		return no_such();
	on = !fd_plain(fd) && call_begin(&c, CALL_fcntl, fd, true, caller);
	if (on) {
		at = c.rec->args;
		STORE_FCNTL(cmd) STORE_FCNTLARG(arg)
		(void)at;
	}
	r = real.fcntl(fd, cmd, arg);
	if (r >= 0 && (cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC))
		fd_share(fd, r);
	if (on)
		RETURNED(r, BAD_VALUE, 0, );
	return r;
}

/* The third argument, an int or a pointer, as the register has it. */
static long third(va_list list)
{
	return va_arg(list, long);
}

#define FCNTL(name)							\
int name(int fd, int cmd, ...)						\
{									\
	va_list list;							\
	long arg;							\
									\
	va_start(list, cmd);						\
	arg = third(list);						\
	va_end(list);							\
	return in_fcntl(CALLER, fd, cmd, arg);				\
}
FCNTL(fcntl)
FCNTL(fcntl64)
FCNTL(__fcntl)
#undef FCNTL

int ioctl(int fd, unsigned long request, ...)
{
	struct call c;
	va_list list;
	uint8_t *at;
	long arg;
	int r;

	va_start(list, request);
	arg = third(list);
	va_end(list);
	if (unlikely(fd_slot(fd) == SLOT_OURS))
		return no_such();
	if (fd_plain(fd) || !call_begin(&c, CALL_ioctl, fd, true, CALLER))
		return real.ioctl(fd, request, arg);
	at = c.rec->args;
	STORE_IOCTL((uint32_t)request)
	(void)at;
	if (c.touch && (request == FIONREAD || request == SIOCATMARK ||
			request == SIOCOUTQ || request == SIOCOUTQNSD) &&
	    readable((void *)arg, 4))
		c.io.opt = (void *)arg;
	r = REAL(int, real.ioctl(fd, request, arg));
	RETURNED(r, BAD_VALUE, 1,
		 if (ret >= 0 && (request == FIONREAD || request == FIONBIO ||
				  request == FIOASYNC ||
				  request == SIOCATMARK ||
				  request == TIOCOUTQ))
			 keep_opt(&k, 2, (void *)arg, sizeof(int)););
	return r;
}

/* ---- sockets in pairs, and moving bytes between two descriptors -------- */

int socketpair(int domain, int type, int protocol, int sv[2])
{
	enum proto proto = proto_of(domain, type & 15, protocol);
	struct conn *second;
	struct call c;
	uint8_t *at;
	int r;

	if (!call_begin(&c, CALL_socketpair, NO_FD, false, CALLER))
		return real.socketpair(domain, type, protocol, sv);
	at = c.rec->args;
	STORE_DOMAIN(domain) STORE_SOCKTYPE(type) STORE_INT(protocol)
	(void)at;
	r = REAL(int, real.socketpair(domain, type, protocol, sv));
	if (!r) {
		call_made(&c, sv[0], proto, ROLE_PAIR);
		second = fd_born(sv[1], proto, ROLE_PAIR);
		if (second)
			trace_conn(second, c.rec->start);
	}
	RETURNED(r, BAD_ZERO, 1,
		 if (!ret)
			 keep_bytes(&k, 3, sv, 2 * sizeof *sv, 8););
	return r;
}

ssize_t splice(int from, off64_t *fromoff, int to, off64_t *tooff, size_t len,
	       unsigned flags)
{
	int fd = fd_is_socket(fd_look(from)) ? from : to;
	struct call c;
	uint8_t *at;
	ssize_t r;

	if (fd_plain(fd) || !call_begin(&c, CALL_splice, fd, true, CALLER))
		return real.splice(from, fromoff, to, tooff, len, flags);
	at = c.rec->args;
	STORE_INT(from) STORE_INT(to) STORE_LEN(len)
	(void)at;
	call_family(&c, fd == from ? FAMILY_RECV : FAMILY_SEND);
	if (c.touch) {
		GIVE_LEN(len) GIVE_SPLICEFLAGS(flags)
		c.io.pipe = to;
	}
	r = REAL(ssize_t, real.splice(from, fromoff, to, tooff, len, flags));
	RETURNED(r, BAD_COUNT, 0, );
	return r;
}

ssize_t tee(int from, int to, size_t len, unsigned flags)
{
	int fd = fd_is_socket(fd_look(from)) ? from : to;
	struct call c;
	uint8_t *at;
	ssize_t r;

	if (fd_plain(fd) || !call_begin(&c, CALL_tee, fd, true, CALLER))
		return real.tee(from, to, len, flags);
	at = c.rec->args;
	STORE_INT(from) STORE_INT(to) STORE_LEN(len)
	(void)at;
	r = real.tee(from, to, len, flags);
	RETURNED(r, BAD_COUNT, 0, );
	return r;
}

static inline int in_lio_listio(const void *caller, int mode,
				struct aiocb *const *list, int n,
				struct sigevent *sig)
{
	bool sockets = false;
	struct call c;
	uint8_t *at;
	int r;

	for (int i = 0; i < n && !sockets; i++)
		sockets = list[i] &&
			  fd_is_socket(fd_look(list[i]->aio_fildes));
	if (!sockets ||
	    !call_begin(&c, CALL_lio_listio, NO_FD, false, caller))
		return real.lio_listio(mode, list, n, sig);
	at = c.rec->args;
	STORE_INT(mode) STORE_INT(n)
	(void)at;
	r = real.lio_listio(mode, list, n, sig);
	RETURNED(r, BAD_ZERO, 0, );
	return r;
}

int lio_listio(int mode, struct aiocb *const *list, int n,
	       struct sigevent *sig)
{
	return in_lio_listio(CALLER, mode, list, n, sig);
}

int lio_listio64(int mode, struct aiocb64 *const *list, int n,
		 struct sigevent *sig)
{
	return in_lio_listio(CALLER, mode, (struct aiocb *const *)list, n,
			     sig);
}
