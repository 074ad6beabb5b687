/* SPDX-License-Identifier: MIT */
/*
 * Careful programs: clients and servers that do all that the manual pages ask
 * of them, in every style, over 127.0.0.1 or AF_UNIX.  They must stay correct
 * whatever a kernel may do to them.
 *
 *	careful [-uta] [-b SIZE] [-x BUG] STYLE BYTES [THREADS] [CONNS]
 *
 * runs an echo server, which adds a checksum at the end, and CONNS clients,
 * which send BYTES bytes each and compare what comes back.  Nothing that
 * depends on time or chance is printed: two runs print the same.
 *	-u	AF_UNIX		-t	a timer interrupts every thread
 *	-a	a client comes again when it got nothing at all
 *	-b	small buffers	-x	leave out one care (list at the end)
 * Other modes are in the table at the end.
 *
 * Status: 0 every byte came back; 1 bytes differ; 2 could not be prepared;
 * 3 something failed, which one line on stderr says; 4 a kernel does not do
 * that.  A hang ends by SIGALRM after a minute.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 4096, BUFFER = 3 * RECORD, TAIL = 8, MOST = 256, TRIES = 999 };

enum bug { NONE, SHORT_WRITE, SHORT_READ, EINTR_ENDS, ONE_READ, BUGS };

static const char *const bug_names[BUGS] = {
	[SHORT_WRITE] = "short-write",	/* a short write is a whole one */
	[SHORT_READ] = "short-read",	/* so is a short read */
	[EINTR_ENDS] = "eintr",		/* EINTR is an error like others */
	[ONE_READ] = "one-read",	/* one read for an edge */
};

/* How a style does it; WAITING: its calls wait for what they want. */
enum { WAITING = 1, TIMEOUTS = 2, POLLED = 4, EDGE = 8, SHORT = 16,
       ONESHOT = 32, EXCLUSIVE = 64 };

struct loop;
struct ready;

struct style {
	const char *name;
	unsigned flags;
	int (*wait)(struct loop *l, struct ready *ready, int timeout);
	int threads;		/* unless asked for */
};

/* What main was asked for, read-only once threads run. */
static struct {
	const struct style *style;
	uint64_t bytes;
	int threads, conns;
	bool unix_domain, timer, again;
	int buffer;
	enum bug bug;
} opt = { .threads = 1, .conns = 1 };

/* ---- saying what is wrong --------------------------------------------- */

enum { DIFFERS = 1, UNPREPARED = 2, FAILED = 3, IMPOSSIBLE = 4 };

/* One line, from the first thread that has one; then the end. */
__attribute__((noreturn, format(printf, 2, 3)))
static void end_with(int status, const char *format, ...)
{
	static atomic_flag said;
	char line[256];
	va_list list;
	int n;

	if (atomic_flag_test_and_set(&said))
		for (;;)
			pause();
	va_start(list, format);
	n = vsnprintf(line, sizeof line - 1, format, list);
	va_end(list);
	fprintf(stderr, "careful: %.*s\n", n, line);
	_exit(status);
}

static void need(bool ok, const char *what)
{
	if (!ok)
		end_with(UNPREPARED, "cannot prepare: %s: %s", what,
			 strerror(errno));
}

/* What is scarce may be there again in a moment, but not for ever. */
static void patience(int *tries, const char *what)
{
	int error = errno;

	if (++*tries > TRIES)
		end_with(FAILED, "%s: %s", what, strerror(error));
	poll(NULL, 0, 1);
}

static bool scarce(int error)
{
	return error == ENOBUFS || error == ENOMEM || error == EMFILE ||
	       error == ENFILE || error == ENOSPC;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* ---- what goes over the wire ------------------------------------------ */

/* Eight bytes of a stream: splitmix64, so nobody's rand() is touched. */
static uint64_t word_at(int stream, uint64_t n)
{
	uint64_t z = (n + ((uint64_t)stream << 32)) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned char byte_at(int stream, uint64_t at)
{
	return word_at(stream, at / 8) >> at % 8 * 8;
}

static uint64_t hash(uint64_t sum, const unsigned char *p, size_t n)
{
	while (n--)
		sum = (sum ^ *p++) * 0x100000001b3;
	return sum;
}

#define EMPTY 0xcbf29ce484222325	/* the hash of nothing */

/* ---- ways to move bytes ------------------------------------------------ */

/* Each does at most one transfer and returns what the kernel did. */
struct way {
	ssize_t (*out)(int fd, const void *from, size_t n);
	ssize_t (*in)(int fd, void *to, size_t n);
	bool plain;		/* a short count: drained, or full: epoll(7) */
};

static ssize_t out_send(int fd, const void *from, size_t n)
{
	return send(fd, from, n, MSG_NOSIGNAL);
}

static ssize_t in_recv(int fd, void *to, size_t n)
{
	return recv(fd, to, n, 0);
}

static ssize_t out_sendto(int fd, const void *from, size_t n)
{
	return sendto(fd, from, n, 0, NULL, 0);
}

static ssize_t in_recvfrom(int fd, void *to, size_t n)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;

	return recvfrom(fd, to, n, 0, (struct sockaddr *)&from, &len);
}

static ssize_t out_write(int fd, const void *from, size_t n)
{
	return write(fd, from, n);
}

static ssize_t in_read(int fd, void *to, size_t n)
{
	return read(fd, to, n);
}

/* Three pieces, one of them empty. */
static void in_pieces(struct iovec piece[3], const void *p, size_t n)
{
	piece[0] = (struct iovec){ (void *)p, (n + 1) / 2 };
	piece[1] = (struct iovec){ (void *)p, 0 };
	piece[2] = (struct iovec){ (char *)p + (n + 1) / 2, n / 2 };
}

static ssize_t out_writev(int fd, const void *from, size_t n)
{
	struct iovec piece[3];

	in_pieces(piece, from, n);
	return writev(fd, piece, 3);
}

static ssize_t in_readv(int fd, void *to, size_t n)
{
	struct iovec piece[3];

	in_pieces(piece, to, n);
	return readv(fd, piece, 3);
}

static ssize_t out_pwritev2(int fd, const void *from, size_t n)
{
	struct iovec piece[3];

	in_pieces(piece, from, n);
	return pwritev2(fd, piece, 3, -1, 0);
}

static ssize_t in_preadv2(int fd, void *to, size_t n)
{
	struct iovec piece[3];

	in_pieces(piece, to, n);
	return preadv2(fd, piece, 3, -1, 0);
}

static ssize_t out_sendmsg(int fd, const void *from, size_t n)
{
	struct iovec piece[3];
	struct msghdr msg = { .msg_iov = piece, .msg_iovlen = 3 };

	in_pieces(piece, from, n);
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static ssize_t in_recvmsg(int fd, void *to, size_t n)
{
	struct iovec piece[3];
	struct msghdr msg = { .msg_iov = piece, .msg_iovlen = 3 };

	in_pieces(piece, to, n);
	return recvmsg(fd, &msg, 0);
}

/* Two messages; on a stream the second goes on where the first ended. */
static void as_messages(struct mmsghdr msg[2], struct iovec piece[3],
			const void *p, size_t n)
{
	in_pieces(piece, p, n);
	memset(msg, 0, 2 * sizeof *msg);
	msg[0].msg_hdr.msg_iov = piece;
	msg[0].msg_hdr.msg_iovlen = 2;
	msg[1].msg_hdr.msg_iov = piece + 2;
	msg[1].msg_hdr.msg_iovlen = 1;
}

static ssize_t out_sendmmsg(int fd, const void *from, size_t n)
{
	struct iovec piece[3];
	struct mmsghdr msg[2];
	int done;

	as_messages(msg, piece, from, n);
	done = sendmmsg(fd, msg, 2, MSG_NOSIGNAL);
	if (done == 2 && msg[0].msg_len < piece[0].iov_len && msg[1].msg_len)
		end_with(IMPOSSIBLE, "sendmmsg: a gap between two messages");
	return done < 0 ? -1 : (ssize_t)msg[0].msg_len +
			       (done == 2 ? (ssize_t)msg[1].msg_len : 0);
}

static ssize_t in_recvmmsg(int fd, void *to, size_t n)
{
	struct iovec piece[3];
	struct mmsghdr msg[2];
	int done;

	as_messages(msg, piece, to, n);
	done = recvmmsg(fd, msg, 2, MSG_WAITFORONE, NULL);
	if (done < 2)
		return done < 0 ? -1 : (ssize_t)msg[0].msg_len;
	if (msg[0].msg_len < piece[0].iov_len)	/* the second starts later */
		memmove((char *)to + msg[0].msg_len, piece[2].iov_base,
			msg[1].msg_len);
	return msg[0].msg_len + msg[1].msg_len;
}

/* This thread's file, and its pipe, which is empty between two calls. */
static int own_file(void)
{
	static __thread int file;

	if (!file)
		file = memfd_create("careful", MFD_CLOEXEC);
	need(file > 0, "memfd");
	return file;
}

static int *own_pipe(void)
{
	static __thread int ends[2];

	if (!ends[1])
		need(!pipe2(ends, O_CLOEXEC), "pipe");
	return ends;
}

/*
 * The socket keeps the pages of the file until the peer has read them, so they
 * are never written again: truncating lets go of them.
 */
static ssize_t out_sendfile(int fd, const void *from, size_t n)
{
	int file = own_file();
	off_t at = 0;
	ssize_t done;

	need(!ftruncate(file, 0), "memfd");
	need(pwrite(file, from, n, 0) == (ssize_t)n, "memfd");
	done = sendfile(fd, file, &at, n);
	if (at != (done > 0 ? done : 0))
		end_with(IMPOSSIBLE, "sendfile: %zd, but the offset is %jd",
			 done, (intmax_t)at);
	return done;
}

static ssize_t out_splice(int fd, const void *from, size_t n)
{
	char rest[BUFFER];
	int *ends = own_pipe(), error;
	ssize_t done, left;

	need(write(ends[1], from, n) == (ssize_t)n, "pipe");
	done = splice(ends[0], NULL, fd, NULL, n, 0);
	error = errno;
	left = (ssize_t)n - (done > 0 ? done : 0);
	if (left && read(ends[0], rest, left) != left)
		end_with(IMPOSSIBLE, "splice: %zd, but not %zd are left", done,
			 left);
	errno = error;
	return done;
}

static ssize_t in_splice(int fd, void *to, size_t n)
{
	int *ends = own_pipe();
	ssize_t done = splice(fd, NULL, ends[1], NULL, n, 0);

	if (done > 0 && read(ends[0], to, done) != done)
		end_with(IMPOSSIBLE, "splice: %zd, but not in the pipe", done);
	return done;
}

static ssize_t in_whole(int fd, void *to, size_t n)
{
	return recv(fd, to, n, MSG_WAITALL);
}

/* What a look showed is what comes, be it less. */
static ssize_t in_peek(int fd, void *to, size_t n)
{
	char seen[BUFFER];
	ssize_t there = recv(fd, seen, n, MSG_PEEK), done;

	if (there <= 0)
		return there;
	done = recv(fd, to, there, 0);
	if (done == 0 || (done > 0 && memcmp(seen, to, done)))
		end_with(IMPOSSIBLE, "recv: not what MSG_PEEK showed");
	return done;
}

static const struct way ways[] = {
	{ out_send, in_recv, true },
	{ out_write, in_read, true },
	{ out_writev, in_readv, true },
	{ out_sendmsg, in_recvmsg, true },
	{ out_sendto, in_recvfrom, true },
	{ out_pwritev2, in_preadv2, true },
	{ out_sendfile, in_recv, false },
	{ out_sendmmsg, in_recvmmsg, false },
	{ out_splice, in_splice, false },
	{ out_send, in_whole, false },
	{ out_send, in_peek, false },
};
enum { WAYS = sizeof ways / sizeof *ways };

/* With -t each thread is interrupted again and again, as EINTR means it. */
static void interrupt_me(void)
{
	struct sigevent how = { .sigev_notify = SIGEV_THREAD_ID,
				.sigev_signo = SIGUSR1,
				._sigev_un._tid = gettid() };
	struct itimerspec often = { { 0, 200000 }, { 0, 200000 } };
	timer_t timer;

	if (!opt.timer)
		return;
	need(!timer_create(CLOCK_MONOTONIC, &how, &timer) &&
	     !timer_settime(timer, 0, &often, NULL), "timer");
}

/* What a thread needs for good it has before descriptors become scarce. */
static void thread_begin(void)
{
	own_file();
	own_pipe();
	interrupt_me();
}

/* ---- one end of a connection ------------------------------------------- */

enum role { CLIENT, SERVER, LISTENER, BELL };

struct end {
	enum role role;
	int fd, index;		/* index: of a client, which it is */
	const struct way *way;
	bool connecting;	/* until the socket is writable */
	bool readable, writable, gone;	/* what the waiting said; HUP */
	bool in_over, out_over, sealed; /* sealed: the checksum is in buf */
	uint64_t made, sent, got;
	uint64_t sum_out, sum_in;
	unsigned char buf[BUFFER], tail[TAIL];
	size_t from, to;	/* in buf, what is to go out */
	unsigned watched;	/* what epoll was told */
	int tries, calls;	/* of this call; of this client */
	struct end *next;	/* of the loop */
};

/* What became of each client, written by the thread that had it. */
static struct { uint64_t sum_out, sum_in, sent; } results[MOST];

static struct sockaddr_storage address;		/* of the server */
static socklen_t address_len;
static int listening;
static atomic_bool stopping;
static atomic_int serving;			/* threads */

static void end_init(struct end *e, enum role role, int fd, int index)
{
	*e = (struct end){ .role = role, .fd = fd, .index = index,
			   .way = ways + index % WAYS, .sum_out = EMPTY,
			   .sum_in = EMPTY, .calls = e->calls,
			   .next = e->next };
}

static struct end *end_new(enum role role, int fd, int index)
{
	struct end *e = calloc(1, sizeof *e);

	need(e, "memory");
	end_init(e, role, fd, index);
	return e;
}

/* Closed, whatever close says. */
static void end_close(struct end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	e->fd = -1;
}

/* The client's next bytes, when the last ones are on their way. */
static void end_refill(struct end *e)
{
	size_t n = opt.bytes - e->made, i;

	if (e->role != CLIENT || e->from != e->to || !n)
		return;
	if (n > RECORD)
		n = RECORD;
	for (i = 0; i < n; i++)
		e->buf[i] = byte_at(e->index, e->made + i);
	e->sum_out = hash(e->sum_out, e->buf, n);
	e->made += n;
	e->from = 0;
	e->to = n;
}

/* The server's last bytes: the checksum of all it got. */
static void end_seal(struct end *e)
{
	if (e->role != SERVER || !e->in_over || e->sealed || e->from != e->to)
		return;
	memcpy(e->buf, &e->sum_in, TAIL);
	e->from = 0;
	e->to = TAIL;
	e->sealed = true;
}

static bool wants_in(const struct end *e)
{
	return !e->in_over && (e->role == CLIENT || e->from == e->to);
}

static bool wants_out(const struct end *e)
{
	return e->from != e->to ||
	       (e->role == CLIENT ? !e->out_over : e->in_over && !e->sealed);
}

static bool is_over(const struct end *e)
{
	return e->in_over && !wants_out(e);
}

/* Where the bytes of the next read go. */
static unsigned char *room(struct end *e, unsigned char *scratch, size_t *n)
{
	*n = e->role == CLIENT ? (size_t)RECORD + e->index % 100 : BUFFER;
	return e->role == CLIENT ? scratch : e->buf;
}

static void client_got(struct end *e, const unsigned char *p, size_t n)
{
	for (; n && e->got < opt.bytes; e->got++, p++, n--) {
		if (*p != byte_at(e->index, e->got))
			end_with(DIFFERS, "client %d: byte %" PRIu64 " differs",
				 e->index, e->got);
		e->sum_in = hash(e->sum_in, p, 1);
	}
	for (; n; e->got++, p++, n--) {
		if (e->got >= opt.bytes + TAIL)
			end_with(DIFFERS, "client %d: more came than was sent",
				 e->index);
		e->tail[e->got - opt.bytes] = *p;
	}
}

static void end_got(struct end *e, unsigned char *p, size_t n)
{
	if (e->role == CLIENT) {
		client_got(e, p, n);
		return;
	}
	e->sum_in = hash(e->sum_in, p, n);
	e->got += n;
	e->from = 0;
	e->to = n;
}

/* All is there: it is what was sent, and the server saw the same. */
static void client_done(struct end *e)
{
	uint64_t sum;

	memcpy(&sum, e->tail, TAIL);
	if (sum != e->sum_out)
		end_with(DIFFERS, "client %d: the server has another checksum",
			 e->index);
	results[e->index].sum_out = e->sum_out;
	results[e->index].sum_in = e->sum_in;
	results[e->index].sent = e->sent;
}

/*
 * The connection has ended too early.  A server lets it go.  A client that got
 * nothing at all may ask again, since nobody can have served it; it says why
 * it gives up.  True when it is to come again.
 */
static bool comes_again(struct end *e, const char *what, int error)
{
	if (e->role == SERVER)
		return false;
	if (opt.again && !e->got && ++e->calls < TRIES)
		return true;
	end_with(FAILED, "client %d: %s: %s", e->index, what,
		 error ? strerror(error) : "the server has ended too early");
}

/* ---- reading and writing with every care -------------------------------- */

/* An error that is none: the call is to be made once more. */
static bool once_more(struct end *e, const char *what)
{
	if (errno == EINTR)
		return opt.bug != EINTR_ENDS;
	if (errno == EAGAIN && opt.style->flags & WAITING)
		end_with(IMPOSSIBLE, "%s: EAGAIN, but it waits", what);
	if (errno == EAGAIN)
		return opt.style->flags & TIMEOUTS;
	if (!scarce(errno))
		return false;
	patience(&e->tries, what);
	return true;
}

static ssize_t take(struct end *e, void *to, size_t n)
{
	ssize_t done;

	do
		done = e->way->in(e->fd, to, n);
	while (done < 0 && once_more(e, "recv"));
	e->tries = 0;
	if (done > (ssize_t)n)
		end_with(IMPOSSIBLE, "recv: %zd of %zu", done, n);
	return opt.bug == SHORT_READ && done > 0 ? (ssize_t)n : done;
}

static ssize_t give(struct end *e, const void *from, size_t n)
{
	ssize_t done;

	do
		done = e->way->out(e->fd, from, n);
	while (done < 0 && once_more(e, "send"));
	e->tries = 0;
	if (done > (ssize_t)n || done == 0)
		end_with(IMPOSSIBLE, "send: %zd of %zu", done, n);
	return opt.bug == SHORT_WRITE && done > 0 ? (ssize_t)n : done;
}

/* Nothing more will be sent: 0 or -1. */
static int half_close(struct end *e)
{
	e->out_over = true;
	return shutdown(e->fd, SHUT_WR);
}

/* ---- connecting and accepting ------------------------------------------- */

static void tune(int fd)
{
	int on = 1;

	if (!opt.unix_domain)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!opt.buffer)
		return;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &opt.buffer, sizeof opt.buffer);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt.buffer, sizeof opt.buffer);
}

/* A new socket, or -1 when there is none for the moment. */
static int socket_new(int flags)
{
	int fd = socket(opt.unix_domain ? AF_UNIX : AF_INET,
			SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0 && !scarce(errno))
		end_with(FAILED, "socket: %s", strerror(errno));
	if (fd >= 0)
		tune(fd);
	return fd;
}

/*
 * The handshake is over, says poll: what came of it.  Without an error there
 * is a peer, or there was one and its reset is told next.
 */
static int connect_result(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer, size = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size))
		return errno;
	if (error || !getpeername(fd, (struct sockaddr *)&peer, &len))
		return error;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error)
		end_with(IMPOSSIBLE, "connect: SO_ERROR is 0, nobody is there");
	return error;
}

/* Until the handshake is over. */
static int connect_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n, tries = 0;

	while ((n = poll(&p, 1, -1)) < 1)
		if (n < 0 && errno != EINTR)
			patience(&tries, "poll");
	if (p.revents & POLLNVAL)
		end_with(IMPOSSIBLE, "poll: the socket is not open");
	return connect_result(fd);
}

/*
 * connect, to the end of it; 0 or what is wrong.  After EINTR the handshake
 * goes on, but on AF_UNIX it has not begun.
 */
static int connect_whole(int fd)
{
	const struct sockaddr *to = (const void *)&address;
	int tries = 0;

	for (;;) {
		if (!connect(fd, to, address_len))
			return 0;
		if (errno == EINPROGRESS)
			return connect_wait(fd);
		if (errno == EINTR && opt.bug == EINTR_ENDS)
			return errno;
		if (errno == EINTR && !opt.unix_domain)
			return connect_wait(fd);
		if (errno == EINTR)
			continue;
		if (!scarce(errno) && errno != EADDRNOTAVAIL &&
		    !(errno == EAGAIN && opt.unix_domain))
			return errno;
		patience(&tries, "connect");
	}
}

/* A descriptor, or -1: none for the moment (EAGAIN), or no room for one. */
static int accept_one(int flags)
{
	static atomic_int refusals;
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | flags);

	if (fd >= 0) {
		refusals = 0;
		tune(fd);
		return fd;
	}
	switch (errno) {
	case EAGAIN: case EMFILE: case ENFILE: case ENOBUFS: case ENOMEM:
		return -1;
	case EINTR:
		return -1;
	case ECONNABORTED: case EPROTO: case ENETDOWN:
	case ENOPROTOOPT: case EHOSTDOWN: case ENONET: case EHOSTUNREACH:
	case EOPNOTSUPP: case ENETUNREACH: case EPERM: case ETIMEDOUT:
		if (++refusals <= TRIES)
			return errno = EINTR, -1;
		/* fall through */
	default:
		end_with(FAILED, "accept: %s", strerror(errno));
	}
}

/* ---- threads that wait in their calls ----------------------------------- */

/* Reads a record, less at the end: its bytes, or -1. */
static ssize_t gather(struct end *e, unsigned char *to, size_t n)
{
	size_t have = 0;
	ssize_t done;

	while (have < n && !e->in_over) {
		done = take(e, to + have, n - have);
		if (done < 0)
			return -1;
		e->in_over = done == 0;
		have += done;
	}
	return have;
}

static int put(struct end *e)
{
	ssize_t done;

	while (e->from < e->to) {
		done = give(e, e->buf + e->from, e->to - e->from);
		if (done < 0)
			return -1;
		e->from += done;
		e->sent += done;
	}
	return 0;
}

static void set_timeouts(int fd)
{
	struct timeval soon = { 0, 20000 };

	if (!(opt.style->flags & TIMEOUTS))
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
}

/* Record by record, so that nobody waits for one who waits for him. */
static void serve_waiting(struct end *e)
{
	ssize_t n;

	set_timeouts(e->fd);
	do {
		n = gather(e, e->buf, RECORD);
		if (n < 0)
			return;
		end_got(e, e->buf, n);
		if (put(e))
			return;
	} while (!e->in_over);
	end_seal(e);
	put(e);
}

static void *serve_thread(void *arg)
{
	struct end *e = end_new(SERVER, -1, (int)(intptr_t)arg);
	int tries = 0;

	thread_begin();
	while (!stopping) {
		int fd = accept_one(0);

		if (fd < 0 && errno == EAGAIN)
			end_with(IMPOSSIBLE, "accept: EAGAIN, but it waits");
		if (fd < 0 && errno != EINTR)
			patience(&tries, "accept");
		if (fd < 0)
			continue;
		tries = 0;
		end_init(e, SERVER, fd, e->index + 1);
		serve_waiting(e);
		end_close(e);
	}
	free(e);
	serving--;
	return NULL;
}

/* What the server sends back of what was sent, up to n bytes: 0, 1 at the
 * end, -1. */
static int take_back(struct end *e, size_t n)
{
	unsigned char back[BUFFER];
	ssize_t done = gather(e, back, n);

	if (done > 0)
		client_got(e, back, done);
	return done < 0 ? -1 : e->in_over;
}

/* The whole of it: NULL, or the call that failed with errno. */
static const char *talk(struct end *e)
{
	int over = 0;

	errno = connect_whole(e->fd);
	if (errno)
		return "connect";
	fcntl(e->fd, F_SETFL, 0);
	set_timeouts(e->fd);
	for (end_refill(e); e->from != e->to && !over; end_refill(e)) {
		if (put(e))
			return "send";
		if (e->made == opt.bytes && half_close(e))
			return "shutdown";
		over = take_back(e, e->to);
		if (over < 0)
			return "recv";
	}
	if (!e->out_over && !over && half_close(e))
		return "shutdown";
	if (!over)
		over = take_back(e, BUFFER);
	if (over < 0)
		return "recv";
	errno = 0;
	return e->got == opt.bytes + TAIL ? NULL : "recv";
}

static void client_waiting(struct end *e)
{
	int flags = opt.style->flags & POLLED ? SOCK_NONBLOCK : 0;
	const char *failed;
	int tries = 0, error;

	do {
		end_init(e, CLIENT, -1, e->index);
		while ((e->fd = socket_new(flags)) < 0)
			patience(&tries, "socket");
		failed = talk(e);
		error = errno;
		end_close(e);
	} while (failed && comes_again(e, failed, error));
	client_done(e);
}

static atomic_int next_client;

static void *client_thread(void *arg)
{
	int i;

	(void)arg;
	thread_begin();
	while ((i = next_client++) < opt.conns) {
		struct end *e = end_new(CLIENT, -1, i);

		client_waiting(e);
		free(e);
	}
	return NULL;
}

/* ---- loops that wait for events ------------------------------------------ */

struct ready {
	struct end *end;
	unsigned what;		/* EPOLL bits, which are poll's */
};

struct loop {
	int ep;
	pthread_mutex_t lock;	/* of the list, where threads share it */
	struct end *ends;	/* all that is watched */
	struct end *listener;
	struct end *unborn;	/* clients without a descriptor */
	atomic_int rounds, served;
	int done;		/* clients */
	bool paused;		/* no descriptor for who is in the queue */
};

static unsigned interest(const struct loop *l, const struct end *e)
{
	if (e->role == BELL)
		return EPOLLIN;
	if (e->role == LISTENER)
		return l->paused ? 0 : EPOLLIN;
	if (e->connecting)
		return EPOLLOUT;
	return (wants_in(e) ? EPOLLIN : 0) | (wants_out(e) ? EPOLLOUT : 0);
}

/* Every call there is for the same, one after the other. */
static int wait_poll(struct loop *l, struct ready *ready, int timeout)
{
	struct timespec time = { 0, timeout * 1000000L };
	struct pollfd p[2 * MOST];
	struct end *e, *who[2 * MOST];
	int n = 0, got, i, out = 0;

	for (e = l->ends; e; e = e->next) {
		p[n] = (struct pollfd){ .fd = e->fd,
					.events = interest(l, e) };
		who[n++] = e;
	}
	got = l->rounds++ % 2 ? ppoll(p, n, timeout < 0 ? NULL : &time, NULL)
			      : poll(p, n, timeout);
	for (i = 0; i < n && got > 0; i++) {
		if (p[i].revents & POLLNVAL)
			end_with(IMPOSSIBLE, "poll: %d is not open", p[i].fd);
		if (p[i].revents)
			ready[out++] = (struct ready){ who[i], p[i].revents };
	}
	return got < 0 ? -1 : out;
}

static int wait_select(struct loop *l, struct ready *ready, int timeout)
{
	struct timespec time = { 0, timeout * 1000000L };
	struct timeval val = { 0, timeout * 1000 };
	fd_set in, out;
	struct end *e;
	int most = -1, got, n = 0;

	FD_ZERO(&in);
	FD_ZERO(&out);
	for (e = l->ends; e; e = e->next) {
		need(e->fd < FD_SETSIZE, "descriptors for select");
		if (interest(l, e) & EPOLLIN)
			FD_SET(e->fd, &in);
		if (interest(l, e) & EPOLLOUT)
			FD_SET(e->fd, &out);
		most = e->fd > most ? e->fd : most;
	}
	got = l->rounds++ % 2
	      ? pselect(most + 1, &in, &out, NULL, timeout < 0 ? NULL : &time,
			NULL)
	      : select(most + 1, &in, &out, NULL, timeout < 0 ? NULL : &val);
	for (e = l->ends; e && got > 0; e = e->next) {
		unsigned what = (FD_ISSET(e->fd, &in) ? EPOLLIN : 0) |
				(FD_ISSET(e->fd, &out) ? EPOLLOUT : 0);

		if (what)
			ready[n++] = (struct ready){ e, what };
	}
	return got < 0 ? -1 : n;
}

static int wait_epoll(struct loop *l, struct ready *ready, int timeout)
{
	struct timespec time = { 0, timeout * 1000000L };
	int room = opt.style->flags & ONESHOT ? 1 : 64, n, i;
	struct epoll_event events[64];

	switch (l->rounds++ % 3) {
	case 0:
		n = epoll_wait(l->ep, events, room, timeout);
		break;
	case 1:
		n = epoll_pwait(l->ep, events, room, timeout, NULL);
		break;
	default:
		n = epoll_pwait2(l->ep, events, room,
				 timeout < 0 ? NULL : &time, NULL);
	}
	for (i = 0; i < n; i++)
		ready[i] = (struct ready){ events[i].data.ptr,
					   events[i].events };
	return n;
}

/* What epoll is to say of an end, by the style. */
static unsigned watching(const struct loop *l, const struct end *e)
{
	unsigned flags = opt.style->flags;

	if (e->role == BELL)
		return EPOLLIN;
	if (e->role == LISTENER && flags & EXCLUSIVE)
		return EPOLLIN | EPOLLEXCLUSIVE;
	if (flags & EDGE)
		return e->role == LISTENER
		       ? EPOLLIN | EPOLLET
		       : EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	return interest(l, e) | (flags & ONESHOT ? EPOLLONESHOT : 0);
}

/* Tells epoll, where it does not know yet. */
static void watch(struct loop *l, struct end *e, int op)
{
	struct epoll_event event = { .events = watching(l, e),
				     .data.ptr = e };
	int tries = 0;

	if (opt.style->wait != wait_epoll)
		return;
	if (op == EPOLL_CTL_MOD && e->watched == event.events &&
	    !(event.events & EPOLLONESHOT))
		return;
	e->watched = event.events;
	while (epoll_ctl(l->ep, op, e->fd, &event)) {
		if (!scarce(errno))
			end_with(FAILED, "epoll_ctl: %s", strerror(errno));
		patience(&tries, "epoll_ctl");
	}
}

static void loop_add(struct loop *l, struct end *e)
{
	pthread_mutex_lock(&l->lock);
	e->next = l->ends;
	l->ends = e;
	pthread_mutex_unlock(&l->lock);
	watch(l, e, EPOLL_CTL_ADD);	/* from here on another thread's */
}

static void loop_drop(struct loop *l, struct end *e)
{
	struct end **at = &l->ends;

	pthread_mutex_lock(&l->lock);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	pthread_mutex_unlock(&l->lock);
	if (opt.style->wait == wait_epoll && e->index % 2)
		epoll_ctl(l->ep, EPOLL_CTL_DEL, e->fd, NULL);
	end_close(e);
}

static void loop_init(struct loop *l)
{
	int tries = 0;

	*l = (struct loop){ .ep = -1, .lock = PTHREAD_MUTEX_INITIALIZER };
	if (opt.style->wait != wait_epoll)
		return;
	while ((l->ep = epoll_create1(EPOLL_CLOEXEC)) < 0) {
		if (!scarce(errno))
			end_with(FAILED, "epoll_create1: %s", strerror(errno));
		patience(&tries, "epoll_create1");
	}
}

/* Reads once: 1, or 0 when there is nothing, or -1. */
static int pull(struct end *e)
{
	unsigned char scratch[BUFFER], *to;
	size_t n;
	ssize_t done;

	to = room(e, scratch, &n);
	done = take(e, to, n);
	if (done < 0) {
		e->readable = false;
		return errno == EAGAIN ? 0 : -1;
	}
	if (done)
		end_got(e, to, done);
	else
		e->in_over = true;
	if (done < (ssize_t)n && opt.style->flags & SHORT && e->way->plain &&
	    !e->gone)
		e->readable = false;
	errno = 0;
	return e->role == CLIENT && e->in_over && e->got < opt.bytes + TAIL
	       ? -1 : 1;
}

/* Writes once, or ends its direction. */
static int push(struct end *e)
{
	ssize_t done;
	size_t n;

	end_refill(e);
	end_seal(e);
	n = e->to - e->from;
	if (!n)
		return half_close(e) ? -1 : 1;
	done = give(e, e->buf + e->from, n);
	if (done < 0) {
		e->writable = false;
		return errno == EAGAIN ? 0 : -1;
	}
	e->from += done;
	e->sent += done;
	if (done < (ssize_t)n && opt.style->flags & SHORT && e->way->plain)
		e->writable = false;
	return 1;
}

/*
 * All that can be done with what epoll said: on an edge until there is nothing
 * more, else once each.  The call that failed, or NULL.
 */
static const char *pump(struct end *e)
{
	bool edge = opt.style->flags & (EDGE | ONESHOT);
	int in, out;

	do {
		in = out = 0;
		if (e->readable && wants_in(e) && (in = pull(e)) < 0)
			return "recv";
		if (e->writable && wants_out(e) && (out = push(e)) < 0)
			return "send";
	} while (edge && (in || out) && opt.bug != ONE_READ);
	if (!(opt.style->flags & EDGE))
		e->readable = e->writable = false;
	return NULL;
}

/* Begins a client: its connect is on the way.  False: no descriptor. */
static bool client_begin(struct loop *l, struct end *e)
{
	const struct sockaddr *to = (const void *)&address;
	int fd = socket_new(SOCK_NONBLOCK), tries = 0;

	if (fd < 0)
		return false;
	end_init(e, CLIENT, fd, e->index);
	while (connect(fd, to, address_len)) {
		if (errno == EINPROGRESS) {
			e->connecting = true;
			break;
		}
		if (errno == EINTR && opt.unix_domain)
			continue;
		if (!scarce(errno) && errno != EADDRNOTAVAIL &&
		    errno != EAGAIN) {
			comes_again(e, "connect", errno);
			end_close(e);
			return false;
		}
		patience(&tries, "connect");
	}
	loop_add(l, e);
	return true;
}

/* Those who have no descriptor yet, as many as get one. */
static void clients_begin(struct loop *l)
{
	struct end *e;

	while ((e = l->unborn)) {
		struct end *next = e->next;

		if (!client_begin(l, e))
			return;
		l->unborn = next;
	}
}

/* A connection has ended: well, when nothing failed. */
static void end_finish(struct loop *l, struct end *e, const char *failed)
{
	int error = errno;

	loop_drop(l, e);
	if (failed && comes_again(e, failed, error)) {
		e->next = l->unborn;
		l->unborn = e;
		return;
	}
	if (e->role == CLIENT) {
		client_done(e);
		l->done++;
	}
	free(e);
}

static void accept_all(struct loop *l, struct end *listener)
{
	unsigned flags = opt.style->flags;
	int fd;

	do {
		fd = accept_one(SOCK_NONBLOCK);
		if (fd >= 0)
			loop_add(l, end_new(SERVER, fd, l->served++));
		if (fd < 0 && errno == EAGAIN)
			listener->readable = false;
		else if (fd < 0 && errno != EINTR)
			l->paused = true;
	} while (flags & EDGE && listener->readable && !l->paused);
	if (l->paused && flags & (ONESHOT | EXCLUSIVE)) {
		poll(NULL, 0, 1);
		l->paused = false;
	}
	watch(l, listener, EPOLL_CTL_MOD);
}

static void handle(struct loop *l, struct end *e, unsigned what)
{
	const char *failed = NULL;

	if (e->role == BELL)
		return;
	e->gone |= what & (EPOLLHUP | EPOLLERR | EPOLLRDHUP);
	e->readable |= what & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP);
	e->writable |= what & (EPOLLOUT | EPOLLHUP | EPOLLERR);
	if (e->role == LISTENER) {
		accept_all(l, e);
		return;
	}
	if (e->connecting && e->writable) {
		e->connecting = false;
		errno = connect_result(e->fd);
		failed = errno ? "connect" : NULL;
	}
	if (!failed && !e->connecting)
		failed = pump(e);
	if (failed || is_over(e))
		end_finish(l, e, failed);
	else
		watch(l, e, EPOLL_CTL_MOD);
}

/* Descriptors may be there again: when one was closed, or a moment later. */
static void resume(struct loop *l)
{
	if (!l->paused || opt.style->flags & (ONESHOT | EXCLUSIVE))
		return;
	l->paused = false;
	watch(l, l->listener, EPOLL_CTL_MOD);
	if (l->listener->readable && opt.style->flags & EDGE)
		accept_all(l, l->listener);
}

static void loop_turn(struct loop *l, int *tries)
{
	struct ready ready[2 * MOST];
	int n, i;

	n = opt.style->wait(l, ready, l->paused || l->unborn ? 2 : -1);
	if (n >= 0)
		*tries = 0;
	else if (scarce(errno))
		patience(tries, opt.style->name);
	else if (errno != EINTR || opt.bug == EINTR_ENDS)
		end_with(FAILED, "%s: %s", opt.style->name, strerror(errno));
	resume(l);
	for (i = 0; i < n; i++)
		handle(l, ready[i].end, ready[i].what);
}

static int bell;

static void listen_in(struct loop *l)
{
	l->listener = end_new(LISTENER, listening, 0);
	loop_add(l, end_new(BELL, bell, 0));
	loop_add(l, l->listener);
}

/* One loop for each thread, or one for all. */
static void *loop_thread(void *arg)
{
	struct loop *l = arg, own;
	int tries = 0;

	thread_begin();
	if (!l) {
		l = &own;
		loop_init(l);
		listen_in(l);
	}
	while (!stopping)
		loop_turn(l, &tries);
	return NULL;
}

static void clients_in_a_loop(void)
{
	struct loop l;
	int i, tries = 0;

	loop_init(&l);
	for (i = opt.conns; i--; ) {
		struct end *e = end_new(CLIENT, -1, i);

		e->next = l.unborn;
		l.unborn = e;
	}
	while (l.done < opt.conns) {
		clients_begin(&l);
		loop_turn(&l, &tries);
	}
	if (l.ep >= 0)
		close(l.ep);
}

/* ---- a whole run -------------------------------------------------------- */

static const struct style styles[] = {
	{ "blocking", WAITING, NULL, 1 },
	{ "timeouts", TIMEOUTS, NULL, 1 },
	{ "nonblocking-connect", WAITING | POLLED, NULL, 1 },
	{ "threads", WAITING, NULL, 4 },
	{ "poll", 0, wait_poll, 1 },
	{ "select", 0, wait_select, 1 },
	{ "epoll-level", 0, wait_epoll, 1 },
	{ "epoll-edge", EDGE, wait_epoll, 1 },
	{ "epoll-edge-short", EDGE | SHORT, wait_epoll, 1 },
	{ "epoll-oneshot", ONESHOT, wait_epoll, 4 },
	{ "epoll-exclusive", EXCLUSIVE, wait_epoll, 4 },
};
enum { STYLES = sizeof styles / sizeof *styles };

/* The server's address: a free port, or a free abstract name. */
static void serve(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int tries = 0, flags = opt.style->wait ? SOCK_NONBLOCK : 0;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((listening = socket_new(flags)) < 0)
		patience(&tries, "socket");
	if (opt.unix_domain)
		need(!bind(listening, (struct sockaddr *)&un,
			   sizeof un.sun_family), "bind");
	else
		need(!bind(listening, (struct sockaddr *)&in, sizeof in),
		     "bind");
	need(!listen(listening, opt.unix_domain ? 1 : 64), "listen");
	address_len = sizeof address;
	need(!getsockname(listening, (struct sockaddr *)&address,
			  &address_len), "getsockname");
	bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	need(bell >= 0, "eventfd");
}

/*
 * Wakes whoever waits for the next client, who finds that all is over: one
 * more for as long as anybody may wait.
 */
static void serve_no_more(void)
{
	const struct sockaddr *to = (const void *)&address;
	uint64_t one = 1;
	int fd;

	stopping = true;
	need(write(bell, &one, sizeof one) == sizeof one, "eventfd");
	while (!opt.style->wait && serving) {
		fd = socket_new(SOCK_NONBLOCK);
		if (fd >= 0) {
			connect(fd, to, address_len);
			poll(NULL, 0, 1);
			close(fd);
		}
	}
}

static void start(pthread_t *threads, int n, void *(*run)(void *), void *arg)
{
	while (n--)
		need(!pthread_create(threads + n, NULL, run, arg), "thread");
}

static void join(const pthread_t *threads, int n)
{
	while (n--)
		pthread_join(threads[n], NULL);
}

static void run_clients(void)
{
	pthread_t threads[MOST];

	if (opt.style->wait) {
		thread_begin();
		clients_in_a_loop();
		return;
	}
	start(threads, opt.threads, client_thread, NULL);
	join(threads, opt.threads);
}

static void run(void)
{
	pthread_t threads[MOST];
	struct loop shared;

	serve();
	if (opt.style->flags & ONESHOT) {
		loop_init(&shared);
		listen_in(&shared);
	}
	serving = opt.threads;
	start(threads, opt.threads,
	      opt.style->wait ? loop_thread : serve_thread,
	      opt.style->flags & ONESHOT ? &shared : NULL);
	run_clients();
	serve_no_more();
	join(threads, opt.threads);
}

static int numbers(char **argv, int i, int least, int otherwise)
{
	int n = argv[i] ? atoi(argv[i]) : otherwise;

	if (n < least || n > MOST)
		end_with(UNPREPARED, "not from %d to %d: %s", least, MOST,
			 argv[i]);
	return n;
}

static int mode_echo(char **argv)
{
	int i;

	for (i = 0; i < STYLES && strcmp(styles[i].name, argv[0]); i++)
		;
	if (i == STYLES || !argv[1])
		end_with(UNPREPARED, "no such style: %s", argv[0]);
	opt.style = styles + i;
	opt.bytes = strtoull(argv[1], NULL, 0);
	opt.threads = numbers(argv, 2, 1, styles[i].threads);
	opt.conns = argv[2] ? numbers(argv, 3, 0, WAYS) : WAYS;
	run();
	for (i = 0; i < opt.conns; i++)
		printf("client %d sent %" PRIu64 " %016" PRIx64 " got %016"
		       PRIx64 "\n", i, results[i].sent, results[i].sum_out,
		       results[i].sum_in);
	return 0;
}

/* ---- connections of one thread, for the modes below --------------------- */

/* Two ends, near[0] connected and near[1] accepted. */
static void pair(int near[2])
{
	if (opt.unix_domain) {
		need(!socketpair(AF_UNIX, SOCK_STREAM, 0, near), "socketpair");
		return;
	}
	if (!listening)
		serve();
	near[0] = socket_new(0);
	need(near[0] >= 0 && !connect_whole(near[0]), "connect");
	near[1] = accept(listening, NULL, NULL);
	need(near[1] >= 0, "accept");
}

/*
 * decisions THREADS CONNS CALLS: connections made in order by one thread, used
 * by many: connection i by thread i % THREADS.  What becomes of each call on
 * each connection, by connection: '.' it went through, 'E' EINTR.
 */
static struct {
	int ends[2];
	char *in, *out;
} conns[MOST];
static int calls;

static char decided(ssize_t done)
{
	if (done < 0 && errno != EINTR)
		end_with(FAILED, "%s", strerror(errno));
	return done < 0 ? 'E' : done == 1 ? '.' : '?';
}

static void *decide(void *arg)
{
	int call, i;
	char c = 0;

	for (call = 0; call < calls; call++)
		for (i = (intptr_t)arg; i < opt.conns; i += opt.threads) {
			int fd = conns[i].ends[0];

			conns[i].in[call] = decided(recv(fd, &c, 1, 0));
			conns[i].out[call] = decided(send(fd, &c, 1, 0));
		}
	return NULL;
}

/* What the thread is to read lies there before it begins. */
static void decisions_prepare(int i)
{
	char c = 0;
	int n;

	pair(conns[i].ends);
	conns[i].in = calloc(2, calls + 1);
	need(conns[i].in, "memory");
	conns[i].out = conns[i].in + calls + 1;
	for (n = 0; n < calls; )
		n += send(conns[i].ends[1], &c, 1, 0) == 1;
}

static int mode_decisions(char **argv)
{
	pthread_t threads[MOST];
	int i;

	opt.style = styles;
	opt.threads = numbers(argv, 1, 1, 1);
	opt.conns = argv[1] ? numbers(argv, 2, 1, 4) : 4;
	calls = argv[1] && argv[2] ? numbers(argv, 3, 1, 100) : 100;
	for (i = 0; i < opt.conns; i++)
		decisions_prepare(i);
	for (i = 0; i < opt.threads; i++)
		start(threads + i, 1, decide, (void *)(intptr_t)i);
	join(threads, opt.threads);
	for (i = 0; i < opt.conns; i++)
		printf("%d recv %s\n%d send %s\n", i, conns[i].in, i,
		       conns[i].out);
	return 0;
}

/*
 * starve [short]: one edge, and nothing more ever comes.  Whatever it is told,
 * the reader gets the bytes that are there, and the end; the writer its room.
 * short: who gets or gives less than asked for waits for the next edge, as
 * epoll(7) says that one may.
 */
static void edge_take(int ep, int fd, bool short_waits, bool to_the_end)
{
	struct epoll_event event;
	char bytes[64] = "", more[32];
	size_t have = 0;
	ssize_t done = -1;

	while (to_the_end ? done : have < 5) {
		if (epoll_wait(ep, &event, 1, -1) != 1)
			continue;
		while ((done = recv(fd, more, sizeof more, 0)) > 0) {
			need(have + done < sizeof bytes, "few bytes");
			memcpy(bytes + have, more, done);
			have += done;
			if (short_waits && !(event.events & EPOLLRDHUP))
				break;
		}
		if (done < 0 && errno != EAGAIN && errno != EINTR)
			end_with(FAILED, "recv: %s", strerror(errno));
	}
	printf("got %s%s\n", bytes, to_the_end ? ", and the end" : "");
}

static void edge_give(int ep, int fd, const char *from, bool short_waits)
{
	struct epoll_event event;
	size_t n = strlen(from);
	ssize_t done;

	while (n) {
		if (epoll_wait(ep, &event, 1, -1) != 1 ||
		    !(event.events & EPOLLOUT))
			continue;
		while (n && (done = send(fd, from, n, 0)) > 0) {
			from += done;
			n -= done;
			if (short_waits)
				break;
		}
	}
}

static int mode_starve(char **argv)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
	};
	int ends[2], ep = epoll_create1(0);
	char got[6] = "";
	bool short_waits = argv[1];

	opt.style = styles;
	pair(ends);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	need(!epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &event), "epoll_ctl");
	edge_give(ep, ends[0], "world", short_waits);
	need(recv(ends[1], got, 5, MSG_WAITALL) == 5, "recv");
	printf("gave %s\n", got);
	need(send(ends[1], "hello", 5, 0) == 5, "send");
	edge_take(ep, ends[0], short_waits, false);
	need(send(ends[1], "again", 5, 0) == 5, "send");
	shutdown(ends[1], SHUT_WR);
	edge_take(ep, ends[0], short_waits, true);
	return 0;
}

/*
 * aftermath CALLS: what each call says on a connection whose end was injected,
 * or, with CALLS from a colon on, that the other end has reset.  One letter
 * each: r recv, w send, p poll, n getpeername, e SO_ERROR, s shutdown; a
 * capital is a call of the other end.
 */
static const char *error_of(long done)
{
	static char text[64];

	snprintf(text, sizeof text, done < 0 ? "%s" : "%.0s%ld",
		 done < 0 ? strerrorname_np(errno) : "", done);
	return text;
}

static const char *one_call(char letter, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	static char text[32];
	char bytes[8] = "aftermat";
	int error = 0;

	switch (letter) {
	case 'r':
		return error_of(recv(fd, bytes, sizeof bytes, 0));
	case 'w':
		return error_of(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL));
	case 'n':
		return error_of(getpeername(fd, (struct sockaddr *)&peer,
					    &len));
	case 's':
		return error_of(shutdown(fd, SHUT_WR));
	case 'e':
		len = sizeof error;
		need(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len),
		     "SO_ERROR");
		return error ? strerrorname_np(error) : "0";
	case 'p':
		poll(&p, 1, -1);
		snprintf(text, sizeof text, "%x", p.revents);
		return text;
	}
	end_with(UNPREPARED, "no such call: %c", letter);
}

/* The other end goes with a RST, which has come when this returns. */
static void real_reset(int ends[2])
{
	struct linger now = { 1, 0 };
	struct pollfd p = { .fd = ends[0] };

	setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(ends[1]);
	need(poll(&p, 1, -1) == 1, "reset");
}

static int mode_aftermath(char **argv)
{
	const char *letters = argv[1] ? argv[1] : "";
	int ends[2];

	opt.style = styles;
	pair(ends);
	if (*letters == ':')
		real_reset(ends);
	for (letters += *letters == ':'; *letters; letters++)
		printf("%c %s\n", *letters,
		       one_call(*letters | 32, ends[!(*letters & 32)]));
	return 0;
}

/* ---- main --------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(char **argv);
} modes[] = {
	{ "decisions", mode_decisions },
	{ "starve", mode_starve },
	{ "aftermath", mode_aftermath },
};

static enum bug bug_named(const char *name)
{
	enum bug bug;

	for (bug = 1; bug < BUGS; bug++)
		if (!strcmp(name, bug_names[bug]))
			return bug;
	end_with(UNPREPARED, "no such bug: %s", name);
}

static void options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+utab:x:")) != -1)
		switch (c) {
		case 'u': opt.unix_domain = true; break;
		case 't': opt.timer = true; break;
		case 'a': opt.again = true; break;
		case 'b': opt.buffer = atoi(optarg); break;
		case 'x': opt.bug = bug_named(optarg); break;
		default: exit(UNPREPARED);
		}
	if (!argv[optind])
		end_with(UNPREPARED, "no style");
}

static int one_of_these(char **argv)
{
	unsigned i;

	for (i = 0; i < sizeof modes / sizeof *modes; i++)
		if (!strcmp(argv[0], modes[i].name))
			return modes[i].run(argv);
	return mode_echo(argv);
}

/* The program's own chance is its own, whatever was injected. */
static void print_chance(void)
{
	printf("rand %d %d %d\n", rand(), rand(), rand());
	printf("random %ld %ld %ld\n", random(), random(), random());
	printf("lrand48 %ld %ld %ld\n", lrand48(), lrand48(), lrand48());
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	int status;

	alarm(60);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &act, NULL);		/* no SA_RESTART */
	srand(1);
	srand48(1);
	options(argc, argv);
	printf("rand %d\n", rand());
	status = one_of_these(argv + optind);
	print_chance();
	puts("ok");
	return status;
}
